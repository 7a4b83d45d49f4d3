//! What configuration files mean, for the preview.

use super::{ConfFile, Item, cron, nginx, pool, tls};
use serde_json::{Value, json};

/// One object a file: `item`, `name`, `target`, and what it says. Never key material.
pub fn describe(files: &[ConfFile]) -> Value {
    files.iter().map(describe_one).collect()
}

fn describe_one(file: &ConfFile) -> Value {
    let said = match file.item {
        Item::Nginx => nginx::read_site(&file.content).map(|site| json!(site)),
        Item::PhpFpm => pool::parse(&file.content).map(|settings| {
            let pools = pool::pools(&settings);
            let shown = pools
                .iter()
                .map(|pool| json!({"pool": pool.name, "user": pool.user, "group": pool.group, "listen": pool.listen}));
            json!({"pools": shown.collect::<Vec<_>>()})
        }),
        Item::Ssl => tls::read(&file.content).map(|bundle| {
            json!({
                "certificate": bundle.certificate,
                "certificates": bundle.certificates,
                "private_key": bundle.key.is_some(),
            })
        }),
        Item::Cron => cron::parse(&file.content).map(|lines| {
            let jobs = lines.iter().filter_map(|(_, line)| match line {
                cron::Line::Job { schedule, user, command } => {
                    Some(json!({"schedule": schedule, "user": user, "command": command}))
                }
                cron::Line::Environment { .. } => None,
            });
            json!({"jobs": jobs.collect::<Vec<_>>()})
        }),
    };
    let mut shown = json!({
        "item": file.item.name(),
        "name": file.name,
        "target": file.target.display().to_string(),
        "bytes": file.content.len(),
    });
    match said {
        Ok(meaning) => shown["meaning"] = meaning,
        Err(why) => shown["problem"] = json!(why),
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_described_and_a_broken_one_says_why() {
        let file = |item: Item, content: &str| ConfFile {
            item,
            name: item.name().into(),
            target: "/t".into(),
            content: content.into(),
            mode: 0o644,
            link: None,
        };
        let shown = describe(&[
            file(Item::Nginx, "server { server_name a.com; listen 80; }"),
            file(Item::PhpFpm, "[a]\nuser = u\nlisten = 9000\n"),
            file(Item::Cron, "@daily u php x\n"),
            file(Item::Ssl, "nothing"),
        ]);
        assert_eq!(shown[0]["meaning"]["server_names"][0], "a.com");
        assert_eq!(shown[1]["meaning"]["pools"][0]["user"], "u");
        assert_eq!(shown[2]["meaning"]["jobs"][0]["schedule"], "@daily");
        assert!(shown[3]["problem"].is_string());
    }
}
