//! The account of the story, and of what stays up after it.

lines! { STORY:
    SECONDS "秒" "s";
    REGISTRY_SIGNED
        "六个城市各有密钥, 名册由六把治理密钥中的五把签名"
        "Six cities with keys of their own; the registry is signed by five of six governance keys";
    READY
        "六个城市的节点已就绪, 渭南有两台, 共七个进程: {pids}"
        "The nodes of six cities answer, two of them Weinan's; seven processes: {pids}";
    COLLECTED
        "福州窗口收件 户口迁移 {case}, 属地渭南 (按表单中的迁入地); 多数副本已落盘, 回执已签"
        "Fuzhou takes in a household transfer {case}; the form's new address makes it Weinan's. It is on the \
         disks of a majority, and the receipt is signed";
    COLLECTED_BEFORE
        "切换之前又收 {count} 件, 均已复制"
        "{count} more taken in before anything breaks, all replicated";
    COLLECTED_WHILE_DOWN
        "{node} 停机期间又收 {count} 件, 均已复制"
        "{count} more taken in while {node} is down, all replicated";
    COLLECTED_AFTER
        "切换之后又收 {count} 件, 均已复制"
        "{count} more taken in afterwards, all replicated";
    RECEIVED
        "渭南的审批组签收, 从此由渭南负责"
        "Weinan's approval group has received it and owns it from now on";
    LINES
        "福州和渭南之间走的是 {carrier}; 各节点之间 QUIC {quic} 对, TCP {tcp} 对 (定西只有 TCP; 其余先拨 QUIC, 先接通的留用)"
        "Fuzhou and Weinan speak {carrier}; of all pairs of nodes {quic} speak QUIC and {tcp} TCP (Dingxi has TCP alone; \
         the others dial QUIC first and keep what connects first)";
    ACCEPTED
        "渭南 wn-201 在第一台节点受理, 开始计算承诺时限"
        "Weinan: wn-201 accepts it at its first node, and the promised time begins to run";
    REVIEWED
        "渭南 wn-201 审查: 建议准予"
        "Weinan: wn-201 reviews it and recommends granting it";
    KILLED
        "kill -9 {victim} 的进程: 它正是{group}审批组的主副本"
        "kill -9 of the process of {victim}, the very one that leads {group}'s approval group";
    LED_AGAIN
        "{group}审批组的新主副本: {leader} (停机后 {seconds} 秒)"
        "{leader} leads {group}'s approval group now ({seconds} s after the kill)";
    OPENED_AT_THE_SECOND
        "渭南照常办公: 第二台节点 {second} 打开了申请表, {reviewer} 的审查也在"
        "Weinan goes on: its second node {second} opens the form, and has the review of {reviewer}";
    DECIDED
        "渭南 wn-202 在 {node} 核准: 准予 (审查人与核准人不是同一人)"
        "Weinan: wn-202 decides at {node} to grant it (who reviewed may not decide)";
    RETURNED
        "结果和渭南签发的文书回到福州"
        "The result and the document signed by Weinan are back in Fuzhou";
    DELIVERED
        "福州窗口送达申请人"
        "Fuzhou hands it to the applicant";
    RESTARTED
        "{victim} 重新启动, 从自己的日志恢复"
        "{victim} is up again, recovered from its own log";
    ISSUED_ONCE
        "文书是 {second} 在第一台停机时签发的, 只签发了一次: 两台节点和福州的一字不差"
        "{second} issued the document while the first node was down, and once: both nodes and Fuzhou have the \
         very same";
    NOT_ISSUED_ONCE
        "文书不是由 {second} 签发的唯一一份!"
        "The document is NOT the only one, issued by {second}!";
    VERIFIED
        "离线核验文书 {file}"
        "The document, verified offline: {file}";
    TAMPERED_REFUSED
        "改动一个字符的副本被拒绝"
        "A copy with one letter changed is refused";
    TAMPERED_TAKEN
        "改动一个字符的副本没有被拒绝!"
        "A copy with one letter changed is NOT refused!";
    BACKED_UP
        "福州的节点已备份到 {file}, 加密给离线恢复密钥"
        "Fuzhou's node is backed up, sealed to an offline recovery key: {file}";
    DRILLED
        "用备份演练: {groups} 个审批组中 {equal} 个的状态哈希与签名时一致; 福州 {cases} 件的表单能打开 {opened} 份"
        "A drill with that backup: {equal} of {groups} groups come back with the state hash that was signed, and \
         {opened} of Fuzhou's {cases} forms open";
    COUNTED
        "清点: 已答复的 {cases} 件在福州和渭南各有一份; 缺 {lost} 件, 多 {more} 件"
        "Counted: {cases} cases were acknowledged and are to be once in Fuzhou and once in Weinan; {lost} are missing, \
         {more} are too many";
    INTERRUPTED
        "已中断, 七个进程都已结束"
        "Interrupted; all seven processes have ended";
    FOLDER_KEPT_FOR_A_LOOK
        "为便于查看, 演示目录保留在 {folder}"
        "Left for a look: the folder of the demonstration, {folder}";
    FOLDER_KEPT
        "演示目录: {folder}"
        "The folder of the demonstration: {folder}";
    STILL_UP
        "六个城市继续运行, Ctrl-C 结束。试试看:"
        "The six cities stay up until Ctrl-C. To try:";
    CLERK "窗口" "clerk   ";
    OFFICER "审批" "officer ";
    OPERATOR "运维" "operator";
    HAND_IN
        "从福州窗口交一件 (再交一件时换一个 Idempotency-Key):"
        "Hand in an application at Fuzhou (another one needs another Idempotency-Key):";
    API_PAGE
        "接口说明页: {url}"
        "The API, explained: {url}";
    ENDING
        "办件 {cases} 件, 丢失 {lost}, 重复 {twice}; 文书{document}, 篡改件{tampered}; 备份演练{drill}; 用时 {seconds} 秒。\n{kept}"
        "{cases} cases, {lost} lost, {twice} twice; document {document}, tampered copy {tampered}; backup drill {drill}; {seconds} s.\n{kept}";
    ALL_KEPT "承诺全部兑现" "Every promise was kept";
    NOT_ALL_KEPT "有承诺未兑现!" "A promise was broken!";
    PASSED "通过" "passed";
    NOT_PASSED "未通过" "NOT passed";
    NOT_COUNTED "未清点" "not counted";
    VALID "有效" "valid";
    INVALID "无效" "invalid";
    UNDECIDED "无法确定" "undecided";
}
