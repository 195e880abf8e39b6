//! Examples of every command, once for `--help`, the manual pages and `tongban cheat`. A test parses
//! each of them.

/// How a command is used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Example {
    /// What is typed.
    pub(crate) line: &'static str,
    /// What for, in Chinese.
    pub(crate) zh: &'static str,
    /// What for, in English.
    pub(crate) en: &'static str,
}

/// The examples of a command, by its path below `tongban`; for the root, where people begin.
pub(crate) fn examples_of(path: &str) -> impl Iterator<Item = &'static Example> {
    let of = move |example: &&Example| {
        let typed = example.line.strip_prefix("tongban ").unwrap_or_default();
        let is_of = typed == path
            || typed
                .strip_prefix(path)
                .is_some_and(|rest| rest.starts_with(' '));
        if path.is_empty() {
            BEGINNING.contains(&example.line)
        } else {
            is_of
        }
    };
    EXAMPLES.iter().filter(of)
}

/// What the root shows.
const BEGINNING: [&str; 4] = [
    "tongban demo",
    "tongban init --city 350100 -y",
    "tongban status",
    "tongban cheat",
];

macro_rules! examples {
    ($($line:literal $zh:literal $en:literal;)*) => {
        /// All of them.
        const EXAMPLES: &[Example] = &[$(Example { line: $line, zh: $zh, en: $en },)*];
    };
}

examples! {
    "tongban up --config /etc/tongban/node.toml"
        "运行本机节点" "run the node of this machine";
    "tongban up --config node.toml --set log.level=debug"
        "覆盖一项配置" "override a setting";
    "tongban init --city 350100 -y"
        "第一次: 写 /etc/tongban/node.toml 和密钥" "first: write /etc/tongban/node.toml and keys";
    "tongban init --city 350100 --dir . --data data --registry registry.json"
        "已有名册" "with a registry there is";
    "tongban demo"
        "六个城市在本机演示, 然后保持运行" "six cities on this machine, which then stay up";
    "tongban demo --tour --lang en"
        "导览: 逐步核对并说明, 用英文" "a tour: every step is checked and said, in English";
    "tongban demo --once --json"
        "演示一遍即结束, 供脚本判断" "once, for scripts";
    "tongban status"
        "按 /etc/tongban/node.toml 找到的节点" "the node that /etc/tongban/node.toml leads to";
    "tongban status --url https://127.0.0.1:8443 --token TOKEN --ca tls/certificate.pem"
        "别处的节点" "a node elsewhere";
    "tongban doctor"
        "逐项检查" "look at everything";
    "tongban doctor --offline --config node.toml -o csv"
        "停机时检查, 供表格使用" "while it is down, for a spreadsheet";
    "tongban check raft --format nagios"
        "Nagios 插件" "as a Nagios plugin";
    "tongban check disk --format prometheus --warn 70 --crit 90"
        "Prometheus 文本采集器" "for the text file collector";
    "tongban check backup --format nagios"
        "备份是否太旧" "whether a backup is too old";
    "tongban case new --item 000109900001 --form form.json --wait"
        "收件, 等到多数副本落盘" "collect, and wait for a majority";
    "tongban case ls --state received"
        "待受理的办件" "cases to be accepted";
    "tongban case ls --all -o csv"
        "全部办件, 供表格使用" "all cases, for a spreadsheet";
    "tongban case show 3501002026112701000001"
        "时间线和时限; 编号可只写开头" "timeline and clocks; the beginning of a number is enough";
    "tongban case act 3501002026112701000001 ask-correction --words 请补交结婚证"
        "一次性告知" "ask for everything missing at once";
    "tongban case act 3501002026112701000001 decide --decision grant --curl"
        "显示等同的 curl 命令" "show the call instead of making it";
    "tongban case export 3501002026112701000001 --dir ."
        "经过、回执和文书各一个文件" "history, receipt and document as files";
    "tongban item ls"
        "程序自带的事项" "the items of this program";
    "tongban item lint 1.json"
        "发布前检查事项文件" "check an item file before it is published";
    "tongban item preview 000109900001 --form form.json"
        "检查填好的表单" "check a filled form";
    "tongban config check --config node.toml"
        "启动前检查" "check before a start";
    "tongban config show --origin"
        "每一项的值和来处" "every setting and where it comes from";
    "tongban config diff"
        "与正在运行的节点相比" "what differs from the node that runs";
    "tongban config reload"
        "不重启, 重新读取" "read it again without a restart";
    "tongban key make --data /var/lib/tongban --node 350100-01"
        "生成节点的密钥, 输出交给制作名册的人" "make a node's keys; the output goes into the registry";
    "tongban key make --governance governance.key"
        "生成治理密钥, 离线保管" "make a governance key, kept offline";
    "tongban key show --data /var/lib/tongban --node 350100-01"
        "再次输出公钥" "print the public keys again";
    "tongban key backup --data /var/lib/tongban --to 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff --out vault.backup"
        "办件密钥加密备份" "seal the case keys to a recovery key";
    "tongban key recover --data /var/lib/tongban --key recovery.key vault.backup"
        "放回办件密钥" "put the case keys back";
    "tongban backup create --out node.backup"
        "备份运行中的本机节点" "back the running node up";
    "tongban backup create --out /var/backups/tongban --keep-days 14"
        "每天一份, 留两周" "one a day, kept for two weeks";
    "tongban backup create --stopped --data /var/lib/tongban --to 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff --out node.backup"
        "备份已停止的节点" "back a stopped node up";
    "tongban backup ls /mnt/backup"
        "一个目录里的备份, 哪些完整" "the backups of a folder, and which are whole";
    "tongban backup ls node.backup"
        "一份备份里有什么" "what lies in one";
    "tongban backup verify node.backup --trust registry.json"
        "备份是否完整、由谁签名" "whether a backup is whole, and who signed it";
    "tongban backup verify node.backup --trust registry.json --key recovery.key"
        "并逐块解密" "and whether every part opens";
    "tongban backup drill node.backup --trust registry.json --key recovery.key"
        "演练恢复, 比对状态哈希" "rehearse a restore and compare state hashes";
    "tongban backup restore node.backup --trust registry.json --key recovery.key --data /var/lib/tongban --node 350100-02 --dry-run"
        "恢复会做什么" "what a restore would do";
    "tongban group ls"
        "本节点保存副本的审批组" "the groups this node keeps replicas of";
    "tongban group status 350100"
        "一个审批组的成员和进度" "members of a group and how far they are";
    "tongban group plan 350100 --voters 350100-01,350100-02,350300-01 --out order.json"
        "试算下一道部署令" "what the next order of placement would do";
    "tongban group sign order.json --key governance.key --trust registry.json"
        "离线签署部署令" "sign the order, offline";
    "tongban group apply order.json"
        "下达部署令, 等到就位" "hand it in, and wait until the group stands so";
    "tongban group transfer 610500 --to 610500-02"
        "移交主持" "hand the lead over";
    "tongban node drain"
        "停用本节点, 等到可以停机" "drain this node, and wait until it is safe to stop";
    "tongban node resume"
        "恢复本节点" "take it back into service";
    "tongban peer ls"
        "对端节点: 直连、转送或断开, 往返时间" "other nodes: direct, relayed or away, and round trips";
    "tongban peer ping 610500-01"
        "经本机节点测往返时间" "measure round trips through the running node";
    "tongban registry make --plan plan.toml --out registry.json"
        "按计划制作名册" "make a registry of a plan";
    "tongban registry sign registry.json --key governance.key"
        "签名" "sign it";
    "tongban registry check registry.json"
        "核对" "check it";
    "tongban token create --data /var/lib/tongban --role clerk --person fz-001"
        "窗口人员的令牌" "a token for a clerk";
    "tongban token ls --data /var/lib/tongban -o csv"
        "列出, 供表格使用" "list them for a spreadsheet";
    "tongban token revoke --data /var/lib/tongban a1b2c3"
        "撤销, 编号可只写开头" "revoke; the beginning of an id is enough";
    "tongban doc ls"
        "本市所涉办件的文书" "documents of the cases this city is party to";
    "tongban doc ls --state pending -o csv"
        "待签发的, 供表格使用" "those to be signed, for a spreadsheet";
    "tongban doc verify document.sdjwt --trust registry.json"
        "离线核验文书" "verify a document offline";
    "tongban schema ls"
        "列出全部 JSON 对象" "every versioned JSON object";
    "tongban schema show case"
        "tongban case show --json 的结构" "what `tongban case show --json` gives";
    "tongban schema validate form.000109900001 form.json"
        "检查填好的表单, 指出每处不符" "check a filled form, place by place";
    "tongban schema validate cases cases.jsonl --lines"
        "检查 -o jsonl 的每一行" "check each line of -o jsonl";
    "tongban bench intake --voters 3 --writers 256 --bytes 1024 --seconds 10"
        "收件测速" "measure intake";
    "tongban bench route --rtt-ms 40"
        "从窗口到外省属地要多久" "from the window to an authority in another province";
    "tongban bench exchange --bytes 2048"
        "两城之间每秒多少个包" "packets a second between two cities";
    "tongban bench attachments --mib 20,1024"
        "附件从一城到另一城, 与 rsync 对照" "files from city to city, beside rsync";
    "tongban bench restart --cases 1000000"
        "装入一百万件后重启要多久" "how long a restart takes with a million cases";
    "tongban bench restart --cases 100000 --kill -o csv"
        "节点被杀后的重启, 供表格使用" "a restart after the nodes were killed, for a spreadsheet";
    "tongban explain TB3012"
        "一个代码是什么意思, 怎么办" "what a code means and what to do";
    "tongban explain 78"
        "一个退出码是什么意思" "what an exit code means";
    "tongban cheat"
        "全部例子" "all examples";
    "tongban cheat token"
        "令牌的例子" "examples about tokens";
    "tongban completion bash"
        "bash 补全: 存为 /etc/bash_completion.d/tongban" "for /etc/bash_completion.d/tongban";
    "tongban man --dir /usr/local/share/man/man1"
        "安装手册页" "install the manual pages";
    "tongban version --json"
        "版本, 供脚本使用" "the version, for scripts";
}
