//! The one table of codes. A code is stable for ever, used by the API, the command line, logs and
//! `tongban explain`. Ranges: 1xxx types, 2xxx trust, 3xxx machine, 4xxx runtime, 5xxx consensus,
//! log and store, 6xxx net, 7xxx API, 8xxx command line and configuration.

use serde::{Deserialize, Serialize};

/// A stable code, shown as `TB` and four digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(u16);

/// What `tongban explain` says of a code.
#[derive(Clone, Copy, Debug)]
pub struct CodeEntry {
    /// The code.
    pub code: Code,
    /// Its name for machines, kebab-case.
    pub name: &'static str,
    /// What happened, in Chinese.
    pub zh: &'static str,
    /// What happened, in English.
    pub en: &'static str,
    /// What to do next, in Chinese.
    pub cure_zh: &'static str,
    /// What to do next, in English.
    pub cure_en: &'static str,
}

impl Code {
    /// The number without its letters.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The entry of this code; `None` for a number that was never given out.
    pub fn entry(self) -> Option<&'static CodeEntry> {
        TABLE.iter().find(|entry| entry.code == self)
    }

    /// The code of a number, if it was given out.
    pub fn from_number(number: u16) -> Option<Self> {
        Self(number).entry().map(|entry| entry.code)
    }

    /// The whole table, in number order.
    pub fn table() -> &'static [CodeEntry] {
        TABLE
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TB{:04}", self.0)
    }
}

impl std::str::FromStr for Code {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text
            .strip_prefix("TB")
            .or_else(|| text.strip_prefix("tb"))
            .unwrap_or(text);
        digits.parse().ok().and_then(Self::from_number).ok_or(())
    }
}

macro_rules! codes {
    ($($number:literal $constant:ident $name:literal
        zh $zh:literal en $en:literal
        cure_zh $cure_zh:literal cure_en $cure_en:literal;)*) => {
        impl Code {
            $(
                #[doc = $en]
                pub const $constant: Self = Self($number);
            )*
        }

        const TABLE: &[CodeEntry] = &[$(
            CodeEntry {
                code: Code::$constant,
                name: $name,
                zh: $zh,
                en: $en,
                cure_zh: $cure_zh,
                cure_en: $cure_en,
            },
        )*];
    };
}

codes! {
    1001 MALFORMED_IDENTIFIER "malformed-identifier"
        zh "标识不合规则" en "An identifier is not well formed."
        cure_zh "按提示的规则改正后重试" cure_en "Correct it by the rule named in the message.";
    1002 MALFORMED_RECORD "malformed-record"
        zh "记录无法解码" en "A record does not decode."
        cure_zh "核对双方版本" cure_en "Compare the versions of both sides.";
    1003 TOO_LARGE "too-large"
        zh "内容超过大小上限" en "Something is larger than its bound."
        cure_zh "减小后重试" cure_en "Make it smaller and try again.";
    1004 UNSOUND_CALENDAR "unsound-calendar"
        zh "工作日历有误" en "A working-day calendar contradicts itself."
        cure_zh "对照国务院办公厅放假通知改正所指的日期"
        cure_en "Correct the day named in the message by the State Council's notice.";
    2001 KEY_NOT_ADMISSIBLE "key-not-admissible"
        zh "公钥不可登记" en "A public key may not be enrolled: not canonical, weak, or with a torsion part."
        cure_zh "重新生成密钥" cure_en "Make a new key.";
    2002 SIGNATURE_INVALID "signature-invalid"
        zh "签名不成立" en "A signature does not verify."
        cure_zh "核对来源, 向签名方索取原件" cure_en "Check where it comes from and ask its signer for the original.";
    2003 MAJORITY_MISSING "majority-missing"
        zh "签名的投票成员未过半数" en "Fewer than a majority of a group's voters signed, or one of the signers has no vote."
        cure_zh "等待更多投票成员签名后重试" cure_en "Try again when more voters have signed.";
    2004 JSON_NOT_STRICT "json-not-strict"
        zh "JSON 不合严格规则" en "JSON text breaks the strict rules: duplicate members, floats, large integers, depth, lone surrogates."
        cure_zh "按提示的位置改正" cure_en "Correct it at the place named in the message.";
    2005 KEY_OUT_OF_TIME "key-out-of-time"
        zh "签名密钥不在有效期内" en "The signing key is not in the time in which it may sign, by the group's time."
        cure_zh "在新名册中续期或更换该密钥, 然后重启节点; 已收件的材料不会丢失, 续期后自动继续"
        cure_en "Renew or replace the key in a next registry and restart the node; what was taken in is kept and goes on by itself.";
    2010 REGISTRY_MALFORMED "registry-malformed"
        zh "名册文件格式错误" en "A registry file is not of the registry's form."
        cure_zh "用 tongban registry check 查看原因" cure_en "See why with `tongban registry check`.";
    2011 REGISTRY_RULE_BROKEN "registry-rule-broken"
        zh "名册内容违反规则" en "What a registry says breaks a rule: a key twice, clashing divisions, unknown voters."
        cure_zh "按提示改正后重新签名" cure_en "Correct it as the message says and have it signed again.";
    2012 REGISTRY_UNDERSIGNED "registry-undersigned"
        zh "名册签名不足" en "A registry is signed by fewer governance keys than its threshold."
        cure_zh "请其余城市的治理密钥签名" cure_en "Have the remaining cities sign it with their governance keys.";
    2013 REGISTRY_ROLLED_BACK "registry-rolled-back"
        zh "名册版本回退" en "A registry is older than the one held."
        cure_zh "使用较新的名册" cure_en "Use the newer registry.";
    2014 REGISTRY_FORKED "registry-forked"
        zh "同一版本的名册内容不同" en "Two different registries bear one version."
        cure_zh "停止使用, 通知各城市核查治理密钥" cure_en "Stop, and have all cities check their governance keys.";
    2015 REGISTRY_SKIPPED "registry-skipped"
        zh "名册版本不连续" en "A registry is more than one version ahead of the one held."
        cure_zh "按顺序补齐中间版本" cure_en "Take the versions between, in order.";
    2016 REGISTRY_NOT_PINNED "registry-not-pinned"
        zh "名册的治理密钥与预置的不符" en "A first registry's governance keys are not those pinned."
        cure_zh "核对预置的哈希与名册来源" cure_en "Compare the pinned hash and where the registry comes from.";
    2017 REGISTRY_ALREADY_HELD "registry-already-held"
        zh "已持有该版本名册" en "This very registry is already held."
        cure_zh "无需处理" cure_en "Nothing to do.";
    2018 REGISTRY_HISTORY_BROKEN "registry-history-broken"
        zh "新名册删改了旧密钥" en "A new registry drops, moves or revives a key of the old one."
        cure_zh "保留旧密钥并标为停用" cure_en "Keep old keys, marked as retired.";
    2019 REGISTRY_VOTERS_CHANGED "registry-voters-changed"
        zh "新名册改变了已有审批组的投票成员" en "A next registry changes the voters of a group that exists already."
        cure_zh "保留原有投票成员: 本版本还不能在运行中更换; 其节点可以换密钥和地址"
        cure_en "Keep the voters: this version cannot change them while a group lives. Their nodes may change keys and addresses.";
    2020 DOCUMENT_INVALID "document-invalid"
        zh "文书无效" en "A document does not verify."
        cure_zh "不予采信, 向签发城市索取原件" cure_en "Do not rely on it; ask the issuing city for the original.";
    2021 DOCUMENT_INDETERMINATE "document-indeterminate"
        zh "文书无法判定" en "It cannot be decided whether a document is valid."
        cure_zh "更新名册后再次核验" cure_en "Verify it again with a newer registry.";
    2022 DOCUMENT_NOT_ISSUABLE "document-not-issuable"
        zh "文书内容不合签发规则" en "What is to be issued breaks a rule of the document's form."
        cure_zh "按提示改正后重试" cure_en "Correct it as the message says and try again.";
    2023 ISSUER_KEY_NOT_IN_FORCE "issuer-key-not-in-force"
        zh "本节点的签发密钥未登记、已停用或不在有效期内, 文书等待签发" en "This node's issuer key is not enrolled, retired, or out of its time; documents wait."
        cure_zh "在新名册中登记或续期签发密钥, 文书随后自动签发" cure_en "Enrol or renew the issuer key in a next registry; documents are then issued by themselves.";
    2030 PLACEMENT_MALFORMED "placement-malformed"
        zh "部署令文件格式不对" en "The file of the placement order has another form."
        cure_zh "用 tongban group plan 重新生成" cure_en "Write it anew with `tongban group plan`.";
    2031 PLACEMENT_UNSIGNED "placement-unsigned"
        zh "部署令尚未签署" en "Nobody has signed the placement order yet."
        cure_zh "在保管治理密钥的机器上运行 tongban group sign" cure_en "Run `tongban group sign` where the city's governance key is kept.";
    3001 KEY_WITHOUT_RIGHT "key-without-right"
        zh "签名密钥在本组无此权限" en "The signing key has no right to this in this group."
        cure_zh "核对名册中该城市的密钥" cure_en "Compare with the city's keys in the registry.";
    3002 OTHER_GROUP "other-group"
        zh "命令属于另一城市的审批组" en "The command is for another city's group."
        cure_zh "发往该城市的节点" cure_en "Send it to a node of that city.";
    3003 OTHER_CITY "other-city"
        zh "办理人不属于本市" en "The actor is not of this city."
        cure_zh "由本市人员办理" cure_en "Let a person of this city act.";
    3004 ROLE_WITHOUT_RIGHT "role-without-right"
        zh "该岗位无权办理此事" en "The actor's role may not do this."
        cure_zh "由有权岗位的人员办理" cure_en "Let a person in the right role act.";
    3005 NO_REGISTRY "no-registry"
        zh "审批组尚无名册" en "No registry has entered the group's log yet."
        cure_zh "稍候重试" cure_en "Try again in a moment.";
    3006 NO_GROUP_TIME "no-group-time"
        zh "审批组时间尚未确定" en "Too few voters have reported their time yet."
        cure_zh "稍候重试; 若持续出现, 检查各副本是否在线" cure_en "Try again in a moment; if it stays, see whether the replicas are up.";
    3007 CLOCK_SKEW "clock-skew"
        zh "办理时间与组时间相差过大" en "The act's time is too far from group time."
        cure_zh "校准本机时钟" cure_en "Set this machine's clock right.";
    3008 COMMAND_ID_REUSED "command-id-reused"
        zh "同一幂等键用于不同请求" en "The idempotency key was used for another request."
        cure_zh "为新请求换一个 Idempotency-Key" cure_en "Use a new Idempotency-Key for a new request.";
    3010 CASE_EXISTS "case-exists"
        zh "办件编号已存在" en "The case number is already taken."
        cure_zh "查询该办件" cure_en "Look the case up.";
    3011 NO_SUCH_CASE "no-such-case"
        zh "本市没有该办件" en "There is no such case here."
        cure_zh "核对办件编号" cure_en "Check the case number.";
    3012 STALE_VERSION "stale-version"
        zh "办件已被他人更新" en "Somebody changed the case since you saw it."
        cure_zh "刷新后重试" cure_en "Read the case again, then act.";
    3013 WRONG_STATE "wrong-state"
        zh "办件当前状态不允许此操作" en "The case's state does not allow this."
        cure_zh "查看办件当前状态" cure_en "Look at the case's state.";
    3014 NOT_OWNER "not-owner"
        zh "办件由另一城市的审批组负责" en "Another city's group owns the case."
        cure_zh "由该城市办理" cure_en "Let that city act.";
    3015 NOT_THE_AUTHORITY "not-the-authority"
        zh "只有属地有权办理" en "Only the authority may do this."
        cure_zh "由属地办理" cure_en "Let the authority act.";
    3016 REQUEST_PENDING "request-pending"
        zh "上一请求尚待属地答复" en "An earlier request to the owner is not answered yet."
        cure_zh "等待答复后再办" cure_en "Wait for its answer.";
    3017 NOTICE_ALREADY_GIVEN "notice-already-given"
        zh "已作一次性告知, 不得再次告知" en "The one-time notice was already given."
        cure_zh "受理, 或不予受理并说明理由" cure_en "Accept, or refuse to accept with reasons.";
    3018 NOTICE_TOO_LATE "notice-too-late"
        zh "告知期限已过" en "The time for a notice of corrections is over."
        cure_zh "逾期不告知的, 视为受理" cure_en "Silence counts as acceptance.";
    3019 REVIEWER_MAY_NOT_DECIDE "reviewer-may-not-decide"
        zh "审查人不得核准同一办件" en "The reviewer of a case may not decide it."
        cure_zh "由另一人核准" cure_en "Let another person decide.";
    3020 REASON_MISSING "reason-missing"
        zh "不予许可须说明理由和救济途径" en "A refusal needs its reasons and remedies."
        cure_zh "填写理由" cure_en "Give the reasons.";
    3021 DOCUMENT_PENDING "document-pending"
        zh "结果文书尚未签发" en "The document of the grant is not issued yet."
        cure_zh "稍候重试" cure_en "Try again in a moment.";
    3022 DOCUMENT_STAGE "document-stage"
        zh "文书不在该签发阶段" en "The document is not at that stage."
        cure_zh "无需处理: 可能已由另一节点完成" cure_en "Nothing to do: another node may have done it.";
    3023 UNKNOWN_ITEM "unknown-item"
        zh "目录中没有该事项版本" en "The item or its version is not in the catalogue."
        cure_zh "核对事项编码和版本" cure_en "Check the item's code and version.";
    3024 ITEM_EXISTS "item-exists"
        zh "该事项版本已存在且内容不同" en "The item version exists with other terms."
        cure_zh "发布新版本" cure_en "Publish a new version.";
    3025 CATALOGUE_FULL "catalogue-full"
        zh "事项目录已满" en "The catalogue is full."
        cure_zh "联系运维" cure_en "Tell the operator.";
    3026 NO_CALENDAR "no-calendar"
        zh "审批组尚无工作日历" en "No working-day calendar has entered the log yet."
        cure_zh "稍候重试" cure_en "Try again in a moment.";
    3027 SUPERSEDED "superseded"
        zh "已有更新版本生效" en "A newer version is in force."
        cure_zh "使用更高的版本号" cure_en "Use a higher version.";
    3028 LEASE_HELD "lease-held"
        zh "本市另一节点正在执行后台事务" en "Another node of the city holds the lease on effects."
        cure_zh "无需处理" cure_en "Nothing to do.";
    3029 LEASE_OVER "lease-over"
        zh "执行后台事务的租约已过期" en "The lease acted under is over."
        cure_zh "无需处理: 将自动重试" cure_en "Nothing to do: it is tried again.";
    3030 PARCEL_FOR_OTHER "parcel-for-other"
        zh "报文不是发给本组的" en "The parcel is not for this group."
        cure_zh "核对发送方配置" cure_en "Check the sender's configuration.";
    3031 OUT_OF_ORDER "out-of-order"
        zh "报文次序不符, 等待前一报文" en "An earlier packet of this case has not come yet."
        cure_zh "无需处理: 对方将重发" cure_en "Nothing to do: the sender repeats.";
    3032 EQUIVOCATION "equivocation"
        zh "同一序号出现两份不同的已签报文, 证据已留存" en "Two different packets are certified at one sequence; the proof is kept."
        cure_zh "通知治理方并出示证据" cure_en "Tell the governance and show the proof.";
    3033 NOT_A_PARTY "not-a-party"
        zh "发送城市不是该办件的当事方" en "The sending city is no party of the case."
        cure_zh "核对办件编号" cure_en "Check the case number.";
    3034 ALREADY_DECIDED "already-decided"
        zh "办件已决定或已结束" en "The case is decided or ended."
        cure_zh "查看办件结果" cure_en "Look at its result.";
    3035 INCONSISTENT_ENVELOPE "inconsistent-envelope"
        zh "办件信息前后矛盾" en "The envelope contradicts itself or its sender."
        cure_zh "核对收件地、属地和事项" cure_en "Check intake city, authority and item.";
    3036 BAD_SIGNATURE "bad-signature"
        zh "签名无效" en "A signature does not verify."
        cure_zh "核对发送方密钥" cure_en "Check the sender's key.";
    3037 NO_CATALOGUE "no-catalogue"
        zh "审批组的事项目录尚未建立" en "The catalogue of the group is not set up yet."
        cure_zh "稍候重试" cure_en "Try again in a moment.";
    3038 PACKET_NOT_RECEIVED "packet-not-received"
        zh "对方在期限内未收到报文" en "The other city's group did not receive the packet by its deadline."
        cure_zh "检查两市之间的线路和组时间, 然后再次办理"
        cure_en "See whether the line is up and both group times are right, then act again.";
    3045 COLLECTED_TOO_LONG_AGO "collected-too-long-ago"
        zh "收件时间距今过久, 不能再进入日志" en "The application was collected too long ago to enter the log now."
        cure_zh "核对收件节点的时钟; 重新收件" cure_en "Check the clock of the desk's node; take the application in again.";
    3046 ITEM_DIFFERS "item-differs"
        zh "两市的事项文件不一致" en "The two cities have different texts of this version of the item."
        cure_zh "核对双方的事项文件; 已发布的版本不可修改, 应发布新版本"
        cure_en "Compare the item's files; a published version is not changed but followed by the next.";
    3047 CALENDAR_LEAVES_YEARS_OUT "calendar-leaves-years-out"
        zh "新工作日历缺少现行日历中的年份" en "The new calendar leaves out years of the one in force that days are still reckoned in."
        cure_zh "补上近两年及以后各年, 以更高的版本号重新导入" cure_en "Put the last two years and all later ones in, under a higher version.";
    3050 PLACEMENT_OUT_OF_TURN "placement-out-of-turn"
        zh "部署令的版本号不是下一号" en "The placement order is not the next one: the group has come to another version meanwhile."
        cure_zh "用 tongban group plan 按现行版本重新制定并签署" cure_en "Make it anew on the version in force, `tongban group plan`, and have it signed.";
    3051 PLACEMENT_RULE_BROKEN "placement-rule-broken"
        zh "部署令违反规则: 3 或 5 个互不相同、已登记的投票成员, 至少一个是本市的, 全是本市的则外市要有旁听" en "The placement order breaks a rule: 3 or 5 distinct enrolled voters, one of them at least the city's own, and a learner elsewhere where all are."
        cure_zh "更正 --voters 和 --learners; 新节点先入名册, 等新名册进入该组的日志后再试"
        cure_en "Correct --voters and --learners; a new node is enrolled first, and the next registry must have entered the group's log.";
    4001 AUTHORITY_OUTSIDE "authority-outside"
        zh "属地城市尚未加入联盟" en "The authority's city is not a member of the federation."
        cure_zh "请申请人向该城市直接申请, 或核对表单中的行政区划" cure_en "Let the applicant apply there, or check the division in the form.";
    4002 GROUP_TIMED_OUT "group-timed-out"
        zh "审批组未及时答复, 操作可能仍会生效" en "The group did not answer in time; the act may still be carried out."
        cure_zh "用同一 Idempotency-Key 重试" cure_en "Try again with the same Idempotency-Key.";
    4003 NO_QUORUM "no-quorum"
        zh "审批组暂无多数, 收件仍可进行" en "The group has no majority now; collecting goes on."
        cure_zh "检查各副本节点和线路: tongban status" cure_en "Look at the replicas and lines: tongban status";
    4004 NO_CASE_KEY "no-case-key"
        zh "本节点尚未取得该办件的密钥" en "This node does not hold the key of the case yet."
        cure_zh "稍候重试; 将自动向对方城市索取" cure_en "Try again in a moment; it is being asked for.";
    4005 NODE_BUSY "node-busy"
        zh "节点繁忙" en "The node takes on no more at once."
        cure_zh "稍候重试" cure_en "Try again in a moment.";
    4006 NODE_FAILED "node-failed"
        zh "节点日志或存储故障, 已停止收件" en "The node's log or store failed; it takes nothing in."
        cure_zh "查看磁盘与日志, 然后重启节点" cure_en "Look at the disk and the logs, then restart the node.";
    4007 NUMBERS_USED_UP "numbers-used-up"
        zh "本节点当日办件编号已用尽" en "This node has given out all case numbers of the day."
        cure_zh "由本市另一节点收件" cure_en "Collect at another node of the city.";
    4008 NOT_HOSTED "not-hosted"
        zh "本节点不承载该审批组" en "This node keeps no replica of that group."
        cure_zh "核对名册中的投票成员" cure_en "Compare with the group's voters in the registry.";
    4009 NOT_YET_APPLIED "not-yet-applied"
        zh "本副本尚未应用到该位置" en "This replica has not applied that far yet."
        cure_zh "稍候重试" cure_en "Try again in a moment.";
    4010 NOT_A_PARTY_OF_KEY "not-a-party-of-key"
        zh "请求方不是该办件的当事城市" en "The asking node is of no party of the case."
        cure_zh "无需处理: 已记录" cure_en "Nothing to do: it was counted.";
    4011 SEAL_BROKEN "seal-broken"
        zh "密文无法开启或已被改动" en "A sealed text does not open under the case's key."
        cure_zh "通知运维核对密钥与数据" cure_en "Let the operator compare keys and data.";
    4012 REQUEST_UNDER_WAY "request-under-way"
        zh "同一请求正在办理" en "The same request is being answered right now."
        cure_zh "稍候用同一 Idempotency-Key 重试" cure_en "Try again in a moment with the same Idempotency-Key.";
    4015 DESK_REFUSED "desk-refused"
        zh "有已收件的申请被审批组拒绝, 正在定时重试" en "The group refuses applications this desk took in; they are tried again now and then."
        cure_zh "用 GET /api/v1/cases?state=stored 查看每件的拒绝代码, 按其说明处理"
        cure_en "See each one's code with GET /api/v1/cases?state=stored and do what it says.";
    4016 NOT_LEADER "not-leader"
        zh "本节点不主持该审批组" en "This node does not lead that group."
        cure_zh "向主持的节点提出: tongban group status" cure_en "Ask the node that does: `tongban group status` names it.";
    4017 SUCCESSOR_UNFIT "successor-unfit"
        zh "指定的节点现在不能接任主持" en "The node named cannot take the lead now: it is no voter, does not answer, lags, or is being drained."
        cure_zh "另选一个在线、同步且在用的投票成员, 或稍候重试"
        cure_en "Name another voter that answers, is up to date and in service, or try again in a moment.";
    4018 NODE_DRAINING "node-draining"
        zh "本节点正在停用维护, 不再收新件" en "This node is being drained for maintenance and takes no new case."
        cure_zh "到本市另一节点收件; 维护结束后运行 tongban node resume" cure_en "Collect at another node of the city; after the maintenance, `tongban node resume`.";
    4019 NOT_CAUGHT_UP "not-caught-up"
        zh "本节点未能及时确认已收齐审批组认可的一切, 本次请求没有改动任何内容"
        en "The node could not make sure in time that it has all that its group accepted; this request changed nothing."
        cure_zh "稍候重试; 读取时也可去掉 fresh (命令行为 --fresh), 看本节点现有的内容"
        cure_en "Try again in a moment, or read without `fresh` (`--fresh` of a command) what the node has by now.";
    4020 BACKUP_NOT_WHOLE "backup-not-whole"
        zh "备份文件不完整" en "A backup ends before its signed manifest, or is no backup."
        cure_zh "换用另一份备份; 检查写备份时磁盘或连接是否中断" cure_en "Use another backup; see whether the disk or the line failed while this one was written.";
    4021 BACKUP_ALTERED "backup-altered"
        zh "备份文件被改动或已损坏" en "A backup is not as it was signed: altered or damaged at the place named."
        cure_zh "不要使用这份备份, 换用另一份, 并查明改动从何而来" cure_en "Do not use this backup. Use another, and find out where the change comes from.";
    4022 BACKUP_NOT_OPENED "backup-not-opened"
        zh "恢复密钥打不开这份备份" en "A backup does not open under this recovery key."
        cure_zh "用制作备份时所用恢复密钥的私钥; 备份里写明了它的公钥" cure_en "Use the private half of the recovery key it was made for; its public half stands in the backup.";
    4023 BACKUP_OF_UNKNOWN "backup-of-unknown"
        zh "名册里查不到签名的节点" en "The registry at hand does not enrol the key that signed a backup as a receipt key of its node."
        cure_zh "用制作备份时有效的名册或更新的名册再核验" cure_en "Verify with the registry of that time or a newer one.";
    4024 NO_RECOVERY_KEY "no-recovery-key"
        zh "节点没有配置恢复密钥" en "The node has no recovery key to seal a backup to."
        cure_zh "用 tongban key make --recovery 离线生成, 把公钥写入 node.toml 的 [backup] recovery_key, 重启节点" cure_en "Make one offline with `tongban key make --recovery`, put its public half into [backup] recovery_key of node.toml, and restart the node.";
    4025 BACKUP_UNDER_WAY "backup-under-way"
        zh "节点正在制作另一份备份" en "The node is making another backup."
        cure_zh "等它结束后重试" cure_en "Try again when it has ended.";
    4026 BACKUP_OF_OTHER_CITY "backup-of-other-city"
        zh "备份属于另一个城市" en "A backup belongs to another city than the node it is to become."
        cure_zh "恢复成备份所属城市的新节点编号" cure_en "Restore it as a new node of the city the backup names.";
    5001 LOG_DAMAGED "log-damaged"
        zh "本节点的日志有损坏: 曾经落盘的内容已不完整" en "The log of this node is damaged: bytes that had been durable are not whole."
        cure_zh "不要删改文件, 不要清空后以原编号启动; 保留数据目录备查, 审批组由其余投票成员继续运行" cure_en "Change no file and do not start empty under the old id: keep the folder for inspection. The groups go on with their other voters; put another machine in its place with `tongban group plan`.";
    5002 LOG_NOT_READABLE "log-not-readable"
        zh "磁盘拒绝读写本节点的日志" en "The disk refused to read or prepare the log of this node."
        cure_zh "检查磁盘、权限和剩余空间后重新启动" cure_en "Check the disk, the permissions and the free space, then start again.";
    5003 LOG_FORMAT_UNKNOWN "log-format-unknown"
        zh "日志由更新版本的程序写成, 本程序不能读取" en "The log was written in a format this program does not know."
        cure_zh "使用写入该日志的版本或更新的版本" cure_en "Use the version that wrote it, or a later one.";
    5101 GROUP_STOPPED "group-stopped"
        zh "本节点上的审批组已停止" en "A group has stopped on this node."
        cure_zh "查看日志中的原因: 与多数状态不一致的, 重启无用, 先整个复制数据目录; 其余的排除后重启节点"
        cure_en "Read the cause in the log: where the state differs from the majority's no restart helps, copy the whole data folder first; else mend it and restart.";
    5102 RAFT_MALFORMED "raft-malformed"
        zh "共识请求无法解码或违反规则" en "A Raft request does not decode or breaks a rule."
        cure_zh "核对双方版本" cure_en "Compare the versions of both nodes.";
    5103 RAFT_WRONG_GROUP "raft-wrong-group"
        zh "共识请求发给了别的审批组" en "A Raft request is for another group."
        cure_zh "核对双方的名册" cure_en "Compare the registries of both nodes.";
    5104 RAFT_NOT_A_REPLICA "raft-not-a-replica"
        zh "对方不是该审批组的副本" en "The peer is no replica of the group."
        cure_zh "核对双方的名册" cure_en "Compare the registries of both nodes.";
    5105 RAFT_WRONG_SENDER "raft-wrong-sender"
        zh "对方以别的节点名义投票或领导" en "The peer votes or leads in another node's name."
        cure_zh "检查对方节点是否被冒用" cure_en "Find out whether the peer has been tampered with.";
    5106 SNAPSHOT_REFUSED "snapshot-refused"
        zh "收到的快照未能保存、不完整或与本机日志矛盾, 已丢弃" en "A received snapshot could not be stored, is not whole or contradicts the log here; it was dropped."
        cure_zh "检查磁盘空间与日志; 持续出现时核对发送节点" cure_en "Check the disk's space and the log; if it goes on, look at the node that sends it.";
    5107 GROUP_SETTINGS "group-settings"
        zh "审批组的参数或投票成员不成立" en "The settings or voters of a group cannot be."
        cure_zh "改正配置后重启" cure_en "Correct the configuration and restart.";
    5108 GROUP_UNREADABLE "group-unreadable"
        zh "本机上的审批组日志或状态无法使用" en "The log or state of a group on this disk cannot be used."
        cure_zh "查看日志中的原因; 保留数据目录, 审批组由其余投票成员继续运行" cure_en "Read the cause in the log and keep the folder: the group goes on with its other voters.";
    5109 GROUP_LOG_LOST "group-log-lost"
        zh "本机上审批组的日志丢失而状态仍在" en "A group's log is gone from this disk, though its state is not."
        cure_zh "不得清空数据后以原节点号启动; 恢复日志, 或由其余投票成员继续运行审批组" cure_en "Do not empty the folder and start under the old id. Bring the log back, or let the group go on with its other voters and put another machine in its place with `tongban group plan`.";
    5110 LOG_HANGS "log-hangs"
        zh "磁盘迟迟不完成日志落盘, 本节点暂不主持审批组" en "The disk does not finish writing the log, and this node leads no group meanwhile."
        cure_zh "检查磁盘; 恢复后自动继续" cure_en "Look at the disk; it goes on by itself once the disk does.";
    5111 MEMBERSHIP_NOT_ORDERED "membership-not-ordered"
        zh "投票成员变更没有部署令依据, 未写入日志" en "A change of voters that no recorded placement order authorises was not appended."
        cure_zh "短暂出现属正常; 持续出现说明该组主导节点有误或作恶, 请更换主导" cure_en "For a moment this is a replica that lags. If it stays, the leader is broken or lies: let another lead.";
    5301 STORE_ENGINE_FAILED "store-engine-failed"
        zh "应用状态库的引擎出错, 本节点停止" en "The engine of applied state failed, and the node stops."
        cure_zh "检查磁盘与日志后重启; 状态库将由快照与日志重建" cure_en "Look at the disk and the logs, then restart: applied state is filled again from snapshot and log.";
    5302 STORE_STOPPED "store-stopped"
        zh "应用状态库此前已出错, 不再接受操作" en "Applied state failed earlier and takes nothing any more."
        cure_zh "查看首次出错的原因, 重启节点" cure_en "Look for the first failure, then restart the node.";
    5303 STORE_TOO_LARGE "store-too-large"
        zh "键、值或一次提交超过状态库上限, 未写入" en "A key, a value or a commit is larger than applied state takes; nothing was written."
        cure_zh "拆分后再写" cure_en "Split it and write again.";
    5304 STORE_IN_USE "store-in-use"
        zh "状态目录正被另一进程使用" en "Another process uses the folder of applied state."
        cure_zh "确认没有第二个节点进程使用同一数据目录" cure_en "See that no second node runs on the same data folder.";
    5305 STORE_FOLDER_UNUSABLE "store-folder-unusable"
        zh "状态目录无法使用" en "The folder of applied state cannot be used."
        cure_zh "检查路径、权限、磁盘空间与打开文件数上限" cure_en "Check its path, permissions, free space and the limit of open files.";
    5306 STORE_REFILLED "store-refilled"
        zh "应用状态无法打开, 或可能因断电受损, 已清空并将重建" en "Applied state could not be opened, or a power cut may have torn it; it was wiped and is filled again."
        cure_zh "无需操作; 反复出现时检查磁盘" cure_en "Nothing; if it happens again and again, check the disk.";
    5401 UPLOAD_UNKNOWN "upload-unknown"
        zh "没有这次上传, 或已过期" en "There is no such upload, or it has expired."
        cure_zh "用 POST /api/v1/uploads 重新开始" cure_en "Begin again with POST /api/v1/uploads.";
    5402 UPLOAD_OFFSET "upload-offset"
        zh "续传位置与已收字节数不符" en "The offset of a piece is not where the upload stands."
        cure_zh "用 HEAD 查询 Upload-Offset 后从该处续传" cure_en "Ask for Upload-Offset with HEAD and go on from there.";
    5403 UPLOADS_TOO_MANY "uploads-too-many"
        zh "同一令牌在传的, 或已传完而未过期的上传过多" en "A token has too many uploads under way, or whole and not yet expired."
        cure_zh "传完或取消在传的; 已用于办件的可以取消, 附件不受影响" cure_en "Finish or cancel those under way; cancel whole ones whose case is taken in: its files stay.";
    5404 UPLOAD_TOO_LARGE "upload-too-large"
        zh "文件超过大小上限, 或内容超出声明的长度" en "A file is larger than its bound, or longer than was announced."
        cure_zh "分成几个文件, 或改正 Upload-Length" cure_en "Split the file, or correct Upload-Length.";
    5405 BLOB_SPACE "blob-space"
        zh "附件存储空间不足" en "There is no room for the file: the quota or the free space that must stay is reached."
        cure_zh "运维扩容磁盘或调高 [blobs] 配额后重试" cure_en "Add disk or raise the quota in [blobs], then try again.";
    5406 ATTACHMENT_UNKNOWN "attachment-unknown"
        zh "没有这个附件: 未上传完成, 或不属于该办件" en "There is no such attachment: its upload is not finished, or the case does not name it."
        cure_zh "先用同一令牌完成上传, 核对哈希" cure_en "Finish its upload with the same token first, and compare the hash.";
    5407 BLOB_DAMAGED "blob-damaged"
        zh "存储的附件已损坏, 不予提供" en "A stored file does not match its hash and is not served."
        cure_zh "从另一方城市重新获取; 检查磁盘" cure_en "Fetch it again from another party; check the disk.";
    5408 BLOB_UNREACHABLE "blob-unreachable"
        zh "持有附件的节点暂时都连不上" en "No node that holds the file can be reached now."
        cure_zh "检查到对方城市的线路, 稍后重试" cure_en "Check the line to the other city and try again.";
    5409 BLOB_STORE_FAILED "blob-store-failed"
        zh "附件存储出错" en "The store of files failed."
        cure_zh "查看日志, 检查磁盘或对象存储" cure_en "See the log; check the disk or the object store.";
    5410 BLOB_LIED "blob-lied"
        zh "对方发来的附件内容与哈希不符" en "A node sent bytes that do not belong to the file asked for."
        cure_zh "已改向其他节点获取; 请该城市检查其节点" cure_en "It is fetched elsewhere; ask that city to examine its node.";
    6001 TRANSPORT_KEY_MALFORMED "transport-key-malformed"
        zh "登记的传输密钥不是 Ed25519 公钥" en "An enrolled transport key is not an Ed25519 public key."
        cure_zh "在名册中更正该节点的传输密钥" cure_en "Correct the node's transport key in the registry.";
    6002 TRANSPORT_KEY_SHARED "transport-key-shared"
        zh "两个节点登记了同一把传输密钥" en "Two nodes are enrolled with the same transport key."
        cure_zh "为其中一个节点另发密钥并重新登记" cure_en "Give one of them a key of its own and enroll it again.";
    6003 TRANSPORT_KEY_NOT_ENROLLED "transport-key-not-enrolled"
        zh "本机传输密钥与名册不符" en "The transport key of this machine is not the one enrolled for it."
        cure_zh "放回登记的密钥, 或登记新密钥" cure_en "Put the enrolled key back, or enroll the new one.";
    6004 CANNOT_LISTEN "cannot-listen"
        zh "无法在该地址监听连接" en "Connections cannot be taken at the address."
        cure_zh "检查端口是否被占用、地址是否属于本机" cure_en "See whether the port is in use and the address is this machine's.";
    6010 PEER_NOT_ENROLLED "peer-not-enrolled"
        zh "对方节点未登记" en "The peer is not enrolled."
        cure_zh "核对名册版本; 新节点须先登记" cure_en "Compare registry versions; a new node must be enrolled first.";
    6011 PEER_KEY_WRONG "peer-key-wrong"
        zh "该节点地址上应答的是另一把密钥" en "Another key answers at the address of the node."
        cure_zh "核对地址; 若地址无误, 请联系对方城市排查冒充" cure_en "Check the address; if it is right, ask the other city who answers there.";
    6012 TOO_MANY_CONNECTIONS "too-many-connections"
        zh "连接数超过上限" en "There are more connections than allowed."
        cure_zh "查看连接来源; 稍后自动重试" cure_en "See where the connections come from; peers try again by themselves.";
    6013 MALFORMED_FRAME "malformed-frame"
        zh "对方发来的帧不合规则, 已关闭该流" en "The peer sent a frame that is not well formed; the stream was closed."
        cure_zh "核对双方版本" cure_en "Compare the versions of both sides.";
    6020 PEER_UNREACHABLE "peer-unreachable"
        zh "暂时连不上对方节点" en "The peer cannot be reached now."
        cure_zh "检查网络与对方节点; 会自动重试" cure_en "Check the line and the peer; it is tried again by itself.";
    6021 PEER_TIMED_OUT "peer-timed-out"
        zh "对方节点未在限时内答复" en "The peer did not answer in time."
        cure_zh "可放心重试" cure_en "Try again; a request is safe to repeat.";
    6022 PEER_BUSY "peer-busy"
        zh "发往对方的在途请求过多" en "Too many requests to the peer are under way."
        cure_zh "稍后重试" cure_en "Try again shortly.";
    6023 PEER_OVER_QUOTA "peer-over-quota"
        zh "本节点向对方的请求超过了对方给每个节点的份额" en "This node asks more of the peer than its share."
        cure_zh "会自动放慢重试; 持续出现时查看是什么在大量发送" cure_en "It slows down and tries again by itself; if it goes on, see what is sending so much.";
    6030 ANSWER_TOO_LARGE "answer-too-large"
        zh "答复超过一帧的上限" en "The answer is larger than a frame may be."
        cure_zh "请求更小的范围" cure_en "Ask for less at once.";
    6031 UNKNOWN_REFUSAL "unknown-refusal"
        zh "对方以本版本不认识的代码拒绝" en "The peer refused with a code that this version does not know."
        cure_zh "升级本节点后再看" cure_en "Upgrade this node to learn the reason.";
    7001 NO_TOKEN "no-token"
        zh "请求没有带访问令牌" en "The request carries no access token."
        cure_zh "加上请求头 Authorization: Bearer 令牌; 令牌由 tongban token create 生成"
        cure_en "Send `Authorization: Bearer <token>`; tokens are made by `tongban token create`.";
    7002 TOKEN_REFUSED "token-refused"
        zh "访问令牌无效、已撤销或已过期" en "The access token is unknown, revoked or expired."
        cure_zh "向运维人员申请新令牌" cure_en "Ask the operator for a new token.";
    7003 NOT_ALLOWED "not-allowed"
        zh "该岗位无权使用此接口" en "The token's role may not use this operation."
        cure_zh "使用有权岗位的令牌" cure_en "Use a token of a role that may.";
    7004 NO_SUCH_RESOURCE "no-such-resource"
        zh "没有这个地址" en "There is nothing at this address."
        cure_zh "核对地址; 全部接口见 /docs" cure_en "Check the address; /docs lists all there are.";
    7005 METHOD_NOT_ALLOWED "method-not-allowed"
        zh "此地址不支持该请求方法" en "The address does not take this method."
        cure_zh "使用响应头 Allow 所列的方法" cure_en "Use a method listed in the response's Allow header.";
    7006 WRONG_MEDIA_TYPE "wrong-media-type"
        zh "请求体的类型不是此接口所要的" en "The body is of another media type than this operation takes."
        cure_zh "按 detail 写明的类型设置请求头 Content-Type" cure_en "Send the `Content-Type` that `detail` names.";
    7007 BODY_BROKEN_OFF "body-broken-off"
        zh "请求体没有收全" en "The body did not arrive whole."
        cure_zh "检查网络后用同一 Idempotency-Key 重发" cure_en "Check the line and send it again with the same Idempotency-Key.";
    7008 BODY_TOO_SLOW "body-too-slow"
        zh "请求体到达过慢" en "The body took too long to arrive."
        cure_zh "检查网络后用同一 Idempotency-Key 重发" cure_en "Check the line and send it again with the same Idempotency-Key.";
    7009 BODY_SHAPE "body-shape"
        zh "请求体缺少内容或有多余内容" en "The body lacks a member, has one too many, or one of another kind."
        cure_zh "按 errors 所列位置改正" cure_en "Correct the places listed in `errors`.";
    7010 BAD_QUERY "bad-query"
        zh "地址中的查询参数有误" en "A query parameter is unknown, repeated or out of range."
        cure_zh "按 errors 所列参数改正" cure_en "Correct the parameters listed in `errors`.";
    7011 BAD_PATH "bad-path"
        zh "地址中有不能解读的部分" en "A part of the path cannot be read."
        cure_zh "核对地址的编码" cure_en "Check how the address is encoded.";
    7012 IDEMPOTENCY_KEY_MISSING "idempotency-key-missing"
        zh "缺少 Idempotency-Key 或其格式不对" en "The Idempotency-Key is missing or not 1 to 255 visible ASCII characters."
        cure_zh "为每个新请求生成一个 Idempotency-Key, 重试时不变"
        cure_en "Make one Idempotency-Key for each new request and keep it when trying again.";
    7013 VERSION_MISSING "version-missing"
        zh "没有说明依据的是办件的哪一版" en "The request does not say which version of the case it is based on."
        cure_zh "带上 If-Match 或 expected_version, 取自上次读到的 ETag"
        cure_en "Send If-Match or expected_version as read from the case's ETag.";
    7014 VERSION_MALFORMED "version-malformed"
        zh "所依据的办件版本写法有误" en "The expected version is malformed, or given twice with different values."
        cure_zh "If-Match 写成 \"数字\"; expected_version 写成整数"
        cure_en "Write If-Match as \"number\" and expected_version as an integer.";
    7015 FORM_INVALID "form-invalid"
        zh "表单填写不符合该事项的要求" en "The form does not keep the item's rules."
        cure_zh "按 errors 所列位置改正后重新提交" cure_en "Correct the places listed in `errors` and hand it in again.";
    7016 NO_DOCUMENT "no-document"
        zh "该办件没有结果文书" en "The case has no document."
        cure_zh "查看办件状态: 准予后才签发文书" cure_en "Look at the case's state: a document follows a grant.";
    7017 NO_RECEIPT "no-receipt"
        zh "本节点没有出具该办件的收件凭证" en "This node gave no receipt for the case."
        cure_zh "到收件的城市查询" cure_en "Ask the city that collected it.";
    7018 NOT_READY "not-ready"
        zh "节点尚未就绪" en "The node is not ready."
        cure_zh "查看 errors 所列检查项; tongban status" cure_en "Look at the checks listed in `errors`; tongban status";
    7019 HEADER_MALFORMED "header-malformed"
        zh "请求头重复或写法有误" en "A header stands twice or cannot be read."
        cure_zh "按 detail 的说明改正" cure_en "Correct it as `detail_en` says.";
    7020 TOO_OFTEN "too-often"
        zh "请求过于频繁" en "Too many requests were made."
        cure_zh "按 Retry-After 等待; 上限见 [http] 的 reads_per_second 和 orders_per_second"
        cure_en "Wait as Retry-After says; `reads_per_second` and `orders_per_second` under [http] set the bounds.";
    7021 EVENTS_GONE "events-gone"
        zh "该事件之后的变动本节点已不再保存" en "What changed after that event is no longer held here."
        cure_zh "重新读取办件列表, 再从新的事件接着听" cure_en "Read the list anew and listen on from there.";
    7022 TOO_MANY_STREAMS "too-many-streams"
        zh "同时在听的连接过多" en "Too many streams of events are open."
        cure_zh "关闭不用的连接, 稍后重试" cure_en "Close those not needed and try again.";
    7023 READ_TOO_SLOWLY "read-too-slowly"
        zh "读得太慢, 事件流已断开" en "Events were read too slowly; the stream was cut off."
        cure_zh "带 Last-Event-ID 重连即可接着听" cure_en "Connect again with `Last-Event-ID` to go on from there.";
    7024 STREAM_ENDED "stream-ended"
        zh "节点正在停止, 事件流结束" en "The node stops; the stream of events ends."
        cure_zh "带 Last-Event-ID 重连即可接着听" cure_en "Connect again with `Last-Event-ID` to go on from there.";
    7025 OUT_OF_REACH "out-of-reach"
        zh "该事项不在与该市的通办范围内" en "The item is not handled across with the city of the authority."
        cure_zh "请申请人向该市直接申请, 或核对表单中的行政区划; 通办范围见 GET /api/v1/agreements"
        cure_en "Let the applicant apply there, or check the division in the form; GET /api/v1/agreements says which cities handle the item together.";
    7030 ITEM_FILE_UNSOUND "item-file-unsound"
        zh "事项或日历文件不成立" en "A file of the catalogue cannot be used."
        cure_zh "按提示改正文件; 已发布的版本不可修改, 应发布新版本"
        cure_en "Correct it as the message says; a published version is not changed but followed by the next.";
    7040 TOKEN_BOOK_UNUSABLE "token-book-unusable"
        zh "令牌文件无法使用" en "The file of access tokens cannot be used."
        cure_zh "检查 tokens.json 的权限和内容" cure_en "Check permissions and content of tokens.json.";
    7041 TOKEN_NOT_MADE "token-not-made"
        zh "令牌的内容不成立" en "What a token is to be made for cannot be."
        cure_zh "按提示改正后重试" cure_en "Correct it as the message says.";
    7042 NO_SUCH_TOKEN "no-such-token"
        zh "没有这个令牌" en "There is no such token."
        cure_zh "用 tongban token ls 查看" cure_en "See `tongban token ls`.";
    8001 INTERNAL "internal"
        zh "程序内部错误" en "Something went wrong that should not."
        cure_zh "保留输出和日志, 报告给开发者" cure_en "Keep the output and the logs, and report it.";
    8002 FILE_UNUSABLE "file-unusable"
        zh "文件无法读写" en "A file cannot be read or written."
        cure_zh "检查路径、权限和剩余空间" cure_en "Check the path, the permissions and the free space.";
    8003 TIME_MALFORMED "time-malformed"
        zh "时间写法不对" en "A time is not written as RFC 3339 says."
        cure_zh "写成 2026-11-24T08:00:00+08:00 的形式" cure_en "Write it as 2026-11-24T08:00:00+08:00.";
    8004 UNKNOWN_CODE "unknown-code"
        zh "没有这个代码" en "This code was never given out."
        cure_zh "用 tongban explain --all 查看全部代码" cure_en "See all codes with `tongban explain --all`.";
    8005 USAGE "usage"
        zh "命令的用法不对" en "What was typed is not how the command is used."
        cure_zh "看该命令的 --help" cure_en "See the command's --help.";
    8006 AMBIGUOUS_PREFIX "ambiguous-prefix"
        zh "编号的开头不止一个相符" en "More than one identifier begins so."
        cure_zh "多写几位" cure_en "Write more of it.";
    8007 UNKNOWN_SCHEMA "unknown-schema"
        zh "没有这个名称的 JSON Schema" en "No versioned object has this name."
        cure_zh "用 tongban schema ls 查看全部名称" cure_en "See all names with `tongban schema ls`.";
    8010 CONFIGURATION_UNREADABLE "configuration-unreadable"
        zh "配置文件无法读取" en "The configuration file cannot be read."
        cure_zh "检查路径和权限" cure_en "Check its path and permissions.";
    8011 CONFIGURATION_MALFORMED "configuration-malformed"
        zh "配置文件有误" en "The configuration file has a mistake."
        cure_zh "按提示的行和键改正, 再用 tongban config check 检查"
        cure_en "Correct the line and key named in the message, then run `tongban config check`.";
    8012 HTTP_NOT_LOOPBACK "http-not-loopback"
        zh "没有 TLS 时, 接口只能绑定本机回环地址" en "Without TLS the API binds to loopback only."
        cure_zh "把 http.listen 改为 127.0.0.1 或 [::1], 由带 TLS 的反向代理对外服务"
        cure_en "Set http.listen to 127.0.0.1 or [::1] and let a proxy with TLS face the network.";
    8013 HTTP_CERTIFICATE_UNUSABLE "http-certificate-unusable"
        zh "接口的证书或私钥无法使用" en "The certificate or key of the API cannot be used."
        cure_zh "核对 http.certificate 和 http.key: PEM, 成对, 可读; 或去掉两项, 由节点自备证书"
        cure_en "Check http.certificate and http.key: PEM, a pair, readable; or leave both out for a certificate of the node's own.";
    8014 CONFIGURATION_EXISTS "configuration-exists"
        zh "配置文件已存在, 不覆盖" en "There is a configuration already; it is not overwritten."
        cure_zh "用另一目录, 或先移走它" cure_en "Use another folder, or move it away first.";
    8020 KEY_FILE_MISSING "key-file-missing"
        zh "缺少密钥文件" en "A key file is missing."
        cure_zh "用 tongban key make 生成, 或放回备份" cure_en "Make it with `tongban key make`, or put the backup back.";
    8021 KEY_FILE_EXPOSED "key-file-exposed"
        zh "密钥文件可被他人读取" en "A key file can be read by others."
        cure_zh "chmod 600 该文件; 若他人可能已读取节点的密钥, 以新编号、新密钥的节点换下它 (tongban backup restore), 并在下一版名册里停用它"
        cure_en "Run chmod 600 on it; if others may have read a node's keys, put one with a new number and new keys in its place (`tongban backup restore`) and retire it in the next registry.";
    8022 KEY_FILE_MALFORMED "key-file-malformed"
        zh "密钥文件内容有误" en "A key file does not hold 64 hexadecimal digits."
        cure_zh "放回备份" cure_en "Put the backup back.";
    8023 KEY_FILE_EXISTS "key-file-exists"
        zh "密钥文件已存在, 不覆盖" en "A key file is already there and is not overwritten."
        cure_zh "用 tongban key show 查看其公钥" cure_en "See its public half with `tongban key show`.";
    8024 KEYS_NOT_ENROLLED "keys-not-enrolled"
        zh "本机密钥与名册登记的不符" en "The keys of this folder are not those enrolled for the node."
        cure_zh "放回登记的密钥, 或登记新密钥" cure_en "Put the enrolled keys back, or enrol the new ones.";
    8025 NODE_NOT_ENROLLED "node-not-enrolled"
        zh "名册中没有本节点" en "The registry does not name this node."
        cure_zh "核对配置中的节点编号与名册文件" cure_en "Compare the node in the configuration with the registry file.";
    8026 NODE_RETIRED "node-retired"
        zh "名册已停用本节点" en "The registry has retired this node: nobody believes its keys any more."
        cure_zh "停用的编号不再使用; 以从未用过的编号重建, 有备份时用 tongban backup restore"
        cure_en "Its number is not used again; come back under one that was never given, out of a backup by `tongban backup restore`.";
    8030 PLAN_MALFORMED "plan-malformed"
        zh "名册计划有误" en "The plan of a registry has a mistake."
        cure_zh "按提示改正计划文件" cure_en "Correct the plan as the message says.";
    8031 REGISTRY_EXPIRED "registry-expired"
        zh "名册已过期" en "The registry is expired."
        cure_zh "取得新版名册; 收件和已有办件不受影响" cure_en "Take the newer registry; collecting and existing cases go on meanwhile.";
    8032 NOT_A_GOVERNANCE_KEY "not-a-governance-key"
        zh "该密钥不是名册的治理密钥" en "The key is no governance key of this registry or of the one before it."
        cure_zh "使用本市的治理密钥" cure_en "Use the governance key of the city.";
    8040 FOLDER_IN_USE "folder-in-use"
        zh "数据目录正被另一进程使用" en "Another process uses the data folder."
        cure_zh "不要在同一数据目录上运行两个节点" cure_en "Do not run two nodes on one data folder.";
    8041 FOLDER_UNUSABLE "folder-unusable"
        zh "数据目录无法使用" en "The data folder cannot be used."
        cure_zh "检查路径、权限和剩余空间" cure_en "Check the path, the permissions and the free space.";
    8042 FOLDER_OF_OTHER_NODE "folder-of-other-node"
        zh "数据目录属于另一节点" en "The data folder belongs to another node."
        cure_zh "核对配置中的节点编号和数据目录" cure_en "Compare the node and the data folder in the configuration.";
    8043 LOG_LOST "log-lost"
        zh "本节点的日志丢失, 不能以原编号参加投票" en "The log of this node is gone; it may not vote under its old id any more."
        cure_zh "放回日志; 否则审批组由其余投票成员继续运行" cure_en "Put the log back, or let the groups go on with their other voters.";
    8044 HTTP_CANNOT_LISTEN "http-cannot-listen"
        zh "接口无法在该地址监听" en "The API cannot listen at its address."
        cure_zh "检查端口是否被占用" cure_en "See whether the port is in use.";
    8045 FOLDER_OF_OTHER_USER "folder-of-other-user"
        zh "数据目录属于另一用户, root 建的文件节点打不开" en "The data folder is another user's; the node could not open what root makes in it."
        cure_zh "以该用户执行, 例如 runuser -u tongban -- tongban ..." cure_en "Run it as that user, as in: runuser -u tongban -- tongban ...";
    8050 NODE_UNREACHABLE "node-unreachable"
        zh "连不上节点的接口" en "The API of the node does not answer."
        cure_zh "检查节点是否在运行以及地址是否正确" cure_en "See whether the node runs and the address is right.";
    8051 NODE_ANSWERED_OTHERWISE "node-answered-otherwise"
        zh "节点的答复与预期不符" en "The API of the node gave an answer that was not expected."
        cure_zh "核对地址与双方版本" cure_en "Check the address and both versions.";
    8052 NODE_TIMED_OUT "node-timed-out"
        zh "节点的接口未及时答复, 请求可能仍会生效" en "The API of the node did not answer in time; the request may still be carried out."
        cure_zh "查看节点日志; 用同一 Idempotency-Key 重试" cure_en "Look at the node's log; try again with the same Idempotency-Key.";
    8053 NODE_NOT_TRUSTED "node-not-trusted"
        zh "对方的证书不是所信任的, 没有发送任何内容" en "The certificate that answered is not trusted; nothing was sent."
        cure_zh "核对证书指纹, 用 --ca 指明所信任的证书" cure_en "Compare the fingerprint, and name the trusted certificate by --ca.";
    8060 DEMO_FAILED "demo-failed"
        zh "演示未能完成" en "The demonstration did not come to its end."
        cure_zh "加 --keep 重试, 查看演示目录中各城市的 node.log"
        cure_en "Run it again with --keep and read node.log of each city in its folder.";
    8061 DEMO_CLAIM_BROKEN "demo-claim-broken"
        zh "演示发现承诺未兑现" en "The demonstration found a promise broken: a case lost, doubled, or a wrong verdict."
        cure_zh "保留演示目录并报告" cure_en "Keep its folder and report it.";
    8070 BENCH_FAILED "bench-failed"
        zh "测速未能完成" en "The benchmark did not come to its end."
        cure_zh "加 --keep 重试, 查看目录中的 node.log" cure_en "Run it again with --keep and read the node.log files.";
    8071 MEASUREMENT_REFUSED "measurement-refused"
        zh "不封存表单的测量只能在全部节点都在本机的联盟上进行" en "Forms are left in the clear only to measure a federation that is on this one machine as a whole."
        cure_zh "去掉该选项; 测速用 tongban bench intake" cure_en "Leave the option out; `tongban bench intake` measures.";
    8072 PROGRAM_MISSING "program-missing"
        zh "本机没有要用的另一个程序, 或其版本太旧" en "A program of others that is needed is not installed here, or too old."
        cure_zh "安装后重试" cure_en "Install it and try again.";
    8080 FOLDER_NOT_EMPTY "folder-not-empty"
        zh "目标目录不是空的" en "The folder that was named is not empty."
        cure_zh "换一个空目录; 已有的内容从不覆盖" cure_en "Name an empty folder: what is there is never written over.";
    8081 NODE_NUMBER_USED "node-number-used"
        zh "这个节点编号已用过" en "The number of a node was given out before: a node under it may have voted."
        cure_zh "换一个从未登记过的编号" cure_en "Take a number that was never enrolled.";
    8082 DRILL_FAILED "drill-failed"
        zh "备份演练未通过" en "A backup drill found that the backup would not bring the node back."
        cure_zh "看未通过的那一行, 解决后再演练; 在此之前当作没有备份" cure_en "See the line that failed, mend it and drill again; until then act as if there were no backup.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_given_once_in_order_and_explains_itself() {
        for pair in TABLE.windows(2) {
            assert!(
                pair[0].code < pair[1].code,
                "{} then {}",
                pair[0].code,
                pair[1].code
            );
        }
        for entry in TABLE {
            let texts = [entry.name, entry.zh, entry.en, entry.cure_zh, entry.cure_en];
            assert!(
                texts.iter().all(|text| !text.is_empty()),
                "{} says nothing",
                entry.code
            );
            assert_eq!(entry.code.to_string().parse(), Ok(entry.code));
        }
        assert_eq!("TB9999".parse::<Code>(), Err(()));
    }

    #[test]
    fn every_code_is_said_with_one_punctuation() {
        for entry in TABLE {
            for text in [entry.zh, entry.cure_zh] {
                let is_wide = |letter: char| matches!(letter, '\u{ff01}'..='\u{ff1f}');
                assert!(!text.contains(is_wide), "{}: {text}", entry.code);
            }
        }
    }
}
