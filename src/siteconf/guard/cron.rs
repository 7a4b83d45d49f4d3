//! What a cron.d file of a site may contain: commands of the site's own account, and a few variables.

use super::super::cron::{Line, parse};
use super::{Refusal, Scene, refused};
use crate::siteconf::Item;
use std::collections::HashSet;

pub fn judge(content: &[u8], scene: &Scene<'_>) -> Vec<String> {
    // What cannot be read is refused by its check.
    let Ok(lines) = parse(content) else { return Vec::new() };
    let live: HashSet<Line> =
        scene.live.and_then(|text| parse(text).ok()).unwrap_or_default().into_iter().map(|(_, line)| line).collect();
    let (users, _) = scene.accounts();
    let mut found = Vec::new();
    for (number, line) in lines.iter().filter(|(_, line)| !live.contains(line)) {
        match line {
            Line::Environment { name, value } => {
                if let Some(why) = variable(name, value) {
                    found.push(refused(Item::Cron, *number, &format!("{name}={value}"), &why));
                }
            }
            // The command is the site's own business: it runs with the site's rights.
            Line::Job { user, .. } if users.contains(user) => {}
            Line::Job { schedule, user, command } => {
                let why = format!("runs as {user:?}, not as the site's account");
                found.push(refused(Item::Cron, *number, &format!("{schedule} {user} {command}"), &why));
            }
        }
    }
    found
}

/// Whom output is mailed to, language and time zone. A program, a search path or a home folder would also be those of the
/// commands that the operator put into the file.
fn variable(name: &str, value: &str) -> Refusal {
    let only = |more: &str| value.chars().all(|letter| letter.is_ascii_alphanumeric() || more.contains(letter));
    let fine = match name {
        "MAILTO" | "MAILFROM" => only("@._+-,") && !value.starts_with('-'),
        "TZ" | "CRON_TZ" => only("_+-/") && !value.starts_with('/'),
        "LANG" => only("_.@-"),
        _ if name.starts_with("LC_") => only("_.@-"),
        _ => return Some("may not be set".into()),
    };
    super::refuse_unless(fine, "is no address, language or time zone")
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    #[test]
    fn a_sites_own_cron_file_passes() {
        Stage::new().passes(
            Item::Cron,
            "# wp\nMAILTO=\"ops@shop.example\"\nMAILTO=\"\"\nLANG=C.UTF-8\nLC_ALL=vi_VN.UTF-8\nCRON_TZ=Asia/Ho_Chi_Minh\n\
             */5 * * * * www-data cd /var/www/shop.example && php wp-cron.php >/dev/null 2>&1\n\
             @daily www-data curl -s 'https://shop.example/?a=b' | sh; SHELL=/x true\n@reboot www-data x\n@midnight www-data y\n",
        );
    }

    #[test]
    fn another_account_and_what_changes_the_commands_of_others_is_refused() {
        let stage = Stage::new();
        for bad in [
            "* * * * * root x\n",
            "* * * * * 0 x\n",
            "@daily other x\n",
            "SHELL=/tmp/x\n",
            "PATH=/tmp:/bin\n",
            "HOME=/tmp\n",
            "LD_PRELOAD=/x\n",
            "\"SHELL\" = /bin/bash\n",
            "BASH_ENV=/tmp/x\n",
            "MAILTO=-X/etc/cron.d/x\n",
            "MAILTO=a|b\n",
            "MAILTO=a -X/etc/cron.d/x\n",
            "TZ=/etc/shadow\n",
            "LC_ALL=../x\n",
        ] {
            let said = stage.refused(Item::Cron, &format!("# first\n{bad}"));
            assert!(said.starts_with("line 2: "), "{said}");
        }
    }

    #[test]
    fn root_as_the_configured_owner_is_no_account_of_a_site() {
        let mut stage = Stage::new();
        stage.config.files.owner = "root:root".into();
        stage.refused(Item::Cron, "* * * * * root x\n");
        stage.config.files.owner = "deploy:www-data".into();
        stage.passes(Item::Cron, "* * * * * deploy x\n");
        stage.refused(Item::Cron, "* * * * * www-data x\n");
    }

    #[test]
    fn the_account_of_the_live_pool_is_the_sites_own() {
        let stage = Stage::new();
        stage.refused(Item::Cron, "* * * * * shop x\n");
        let pool = stage.config.paths.php_pool_dir.join("shop.example.conf");
        std::fs::write(pool, "[shop]\nuser = shop\nlisten = /run/php/shop.sock\n").unwrap();
        stage.passes(Item::Cron, "* * * * * shop x\n");
    }
}
