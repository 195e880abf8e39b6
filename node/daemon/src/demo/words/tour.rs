//! The claims of the tour, and what was seen of each.

lines! { TOUR:
    STEPS
        "导览 {passed}/{all} 步通过。"
        "{passed} of {all} steps of the tour passed. ";
    CITIES_ARE_UP
        "六个城市的节点都在应答, 名册由六把治理密钥中的至少五把签名"
        "Six cities answer; at least five of six governance keys signed the registry";
    PROCESSES
        "{signers} 个签名; 渭南有两台节点, 共七个进程 {pids}"
        "{signers} signatures; Weinan has two nodes, which makes seven processes: {pids}";
    IS_REPLICATED
        "福州窗口收件, 多数副本落盘以后才答复"
        "Fuzhou takes an application in, and answers once it is on the disks of a majority";
    RECEIPT
        "办件 {case}, 凭证: {safety}"
        "case {case}, receipt: {safety}";
    IS_ROUTED
        "办件按表单中的迁入地到了渭南, 从此由渭南负责"
        "The new address in the form takes it to Weinan, which owns it from then on";
    ROUTED
        "渭南是 {standpoint}, 状态 {state}; 福州是 {mirror}; 收件后 {seconds} 秒"
        "Weinan: {standpoint}, {state}; Fuzhou: {mirror}; {seconds} s after it was taken in";
    LINES_ARE_QUIC
        "城市之间走 QUIC 或 TCP; 只有 TCP 的城市照样相通"
        "Cities speak QUIC or TCP, and the one that has TCP alone is reached all the same";
    FILE_ARRIVES
        "附件从福州到渭南, 一个字节不差, 哈希相同"
        "A file goes from Fuzhou to Weinan: not one byte differs, and its hash is the same";
    FILE_SEEN
        "{kib} KiB, BLAKE3 {hash}, {seconds} 秒"
        "{kib} KiB, BLAKE3 {hash}, {seconds} s";
    LEADER_IS_LOST
        "杀掉一个审批组的主副本: 照常收件, 一件不丢, 一件不重"
        "A leader is killed: cases go on coming in, none is lost, none is there twice";
    LEADER_SEEN
        "{group}审批组: kill -9 {victim}, {seconds} 秒后 {next} 接任; 已答复 {cases} 件, 两地缺 {lost}, 多 {more}"
        "{group}'s group: kill -9 of {victim}, led by {next} {seconds} s later; {cases} cases acknowledged, in \
         both cities {lost} missing, {more} too many";
    SECOND_GOES_ON
        "渭南的第一台节点停机, 第二台接着办: 打开申请表, 核准, 签发文书, 只签发一次"
        "Weinan's first node is down, and its second goes on: it opens, decides and issues, once";
    SECOND_SEEN
        "{first} 停机时, {second} 打开 {reviewer} 审查过的申请表并核准; 文书由 {signer} 签名; {first} 重启后, 两台节点和福州的文书共 {documents} 种"
        "while {first} was down, {second} opened the form that {reviewer} had reviewed, and decided; {signer} signed \
         the document; different ones at both nodes and in Fuzhou, now that {first} is back: {documents}";
    PEOPLE_DIFFER
        "受理、审查、核准是三个人; 审查人自己核准, 被拒绝"
        "Three people accept, review and decide; the reviewer who tries to decide is refused";
    PEOPLE_SEEN
        "受理 {accepted}, 审查 {reviewed}, 核准 {decided}; {reviewed} 核准: {code}"
        "accepted by {accepted}, reviewed by {reviewed}, decided by {decided}; {reviewed} deciding: {code}";
    RESULT_RETURNS
        "结果和渭南签发的文书回到福州, 送达申请人"
        "The result and the document that Weinan signed are back in Fuzhou and handed out";
    RESULT_SEEN "{clerk} 送达, 文书 {bytes} 字节" "handed out by {clerk}, a document of {bytes} bytes";
    DOCUMENT_IS_VALID
        "文书凭一个文件和一份名册离线核验: 有效"
        "The document is verified offline, from one file and one registry: valid";
    VERDICT_SEEN "{verdict} – 文书 {file}" "{verdict} – document {file}";
    TAMPERED_IS_INVALID
        "改动一个字符的副本: 无效"
        "A copy with one letter changed: invalid";
    STRANGER_IS_REFUSED
        "不在册的人签的文书不被采信; 冒用渭南密钥名的, 无效"
        "What a stranger signed is not believed; in Weinan's name it is invalid";
    STRANGER_SEEN
        "署自己的密钥: {own}; 冒用渭南的密钥名: {false_name}"
        "under a key of his own: {own}; under Weinan's: {false_name}";
    ALL_ARE_THERE
        "清点: 已答复的每一件在福州和渭南各有一份"
        "Counted: each case that was acknowledged is in Fuzhou once and in Weinan once";
    COUNT_SEEN "{cases} 件, 缺 {lost}, 多 {more}" "{cases} cases, {lost} missing, {more} too many";
    HOST_KNOWS_NOTHING
        "莆田为福州存一份副本, 其中没有申请人的一个字"
        "Putian keeps a replica for Fuzhou, and not a word of the applicants is in it";
    HOST_SEEN
        "在 {mib} MiB 中找 {words} 个词, {spellings} 种写法: 找到 {found}。对照: 渭南看到的办件里找到 {shown}; 莆田目录里的经手人 \
         {actor}: {control}"
        "{words} words in {spellings} spellings, looked for in {mib} MiB: {found} found. Controls: {shown} found in what \
         Weinan reads; {actor}, who took the case in, in Putian's folder: {control}";
    FOUND "找到" "found";
    NOT_FOUND "没有找到" "not found";
    BACKUP_IS_WHOLE
        "福州的节点在运行中备份, 只有离线恢复密钥能打开; 改动一个字节即被发现"
        "Fuzhou's running node is backed up to an offline key; one changed byte is noticed";
    BACKUP_SEEN "{file}, {kib} KiB; 改动一个字节: {code}" "{file}, {kib} KiB; one byte changed: {code}";
    DRILL_PASSES
        "用备份演练: 恢复出的状态哈希与备份时签名的一致, 表单都能打开"
        "A drill with the backup finds the state hashes that were signed, and forms open";
    DRILL_SEEN
        "{opened}/{cases} 份表单能打开; {hashes}"
        "{opened}/{cases} forms open; {hashes}";
    NOT_AS_CLAIMED "与所说的不符: {seen}" "It is not as claimed: {seen}";
}
