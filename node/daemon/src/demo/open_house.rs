//! After the story the six cities stay up, with addresses and tokens for whoever wants to try.

use tongban_types::Role;

use super::account::Account;
use crate::failure::Failure;
use crate::staging::Federation;

/// Says how to go on by oneself.
pub(crate) fn welcome(federation: &Federation, account: &mut Account) -> Result<(), Failure> {
    account.say("\n六个城市继续运行, Ctrl-C 结束。试试看:");
    for (place, site) in federation.layout.sites.iter().enumerate() {
        account.say(&format!("\n{}  http://{}", site.city.name, site.http));
        for (role, person, what) in [
            (Role::Clerk, "demo-clerk", "窗口"),
            (Role::Officer, "demo-officer-1", "审批"),
            (Role::Officer, "demo-officer-2", "审批"),
            (Role::Operator, "demo-operator", "运维"),
        ] {
            let token = federation.token(place, role, person)?;
            account.say(&format!("  {what} {person}  {token}"));
        }
    }
    let layout = &federation.layout;
    let (folder, site) = (&layout.folder, federation.site(0));
    account.say(&format!(
        "\n  tongban status --data {}\n  tongban doc verify {} --trust {} --pin {}\n\
         \x20 curl -H 'Authorization: Bearer 令牌' http://{}/api/v1/cases",
        site.data.display(),
        folder.join("document.sdjwt").display(),
        layout.registry.display(),
        layout.governance,
        site.http,
    ));
    Ok(())
}
