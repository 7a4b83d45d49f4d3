//! What configuration files mean, for the preview.

use super::{ConfFile, Item, cron, nginx, pool, tls};
use crate::api::answer::site_config::{ConfigMeaning, CronFile, CronJob, Meaning, PemFile, PhpPool, PhpPools};

/// What a file says, and where it belongs. Never key material.
pub fn describe(file: &ConfFile) -> ConfigMeaning {
    let said = match file.item {
        Item::Nginx => nginx::read_site(&file.content).map(Meaning::Nginx),
        Item::PhpFpm => pool::parse(&file.content).map(|settings| Meaning::PhpFpm(pools(&settings))),
        Item::Ssl => tls::read(&file.content).map(|bundle| Meaning::Ssl(pem(bundle))),
        Item::Cron => cron::parse(&file.content).map(|lines| Meaning::Cron(commands(lines))),
    };
    let (meaning, problem) = match said {
        Ok(meaning) => (Some(meaning), None),
        Err(why) => (None, Some(why)),
    };
    ConfigMeaning {
        item: file.item,
        name: file.name.clone(),
        target: file.target.clone(),
        bytes: file.content.len() as u64,
        meaning,
        problem,
    }
}

fn pools(settings: &[pool::Setting]) -> PhpPools {
    let shown = |pool: pool::Pool| {
        let pool::Pool { name, user, group, listen, .. } = pool;
        PhpPool { pool: name, user, group, listen }
    };
    PhpPools { pools: pool::pools(settings).into_iter().map(shown).collect() }
}

fn pem(bundle: tls::Bundle) -> PemFile {
    PemFile {
        private_key: bundle.key.is_some(),
        certificates: bundle.certificates as u64,
        certificate: bundle.certificate.map(|certificate| certificate.meaning),
    }
}

fn commands(lines: Vec<(usize, cron::Line)>) -> CronFile {
    let job = |(_, line): (usize, cron::Line)| match line {
        cron::Line::Job { schedule, user, command } => Some(CronJob { schedule, user, command }),
        cron::Line::Environment { .. } => None,
    };
    CronFile { jobs: lines.into_iter().filter_map(job).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::answer::site_config::Certificate;

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
        let said = |item: Item, content: &str| describe(&file(item, content)).meaning;
        let Some(Meaning::Nginx(site)) = said(Item::Nginx, "server { server_name a.com; listen 80; }") else {
            panic!("no nginx site")
        };
        assert_eq!(site.server_names, ["a.com"]);
        let pool = PhpPool { pool: "a".into(), user: "u".into(), group: String::new(), listen: "9000".into() };
        let pools = said(Item::PhpFpm, "[a]\nuser = u\nlisten = 9000\n");
        assert_eq!(pools, Some(Meaning::PhpFpm(PhpPools { pools: vec![pool] })));
        let job = CronJob { schedule: "@daily".into(), user: "u".into(), command: "php x".into() };
        assert_eq!(said(Item::Cron, "@daily u php x\n"), Some(Meaning::Cron(CronFile { jobs: vec![job] })));
        let broken = describe(&file(Item::Ssl, "nothing"));
        assert!(broken.meaning.is_none() && broken.problem.is_some());
    }

    /// A meaning is kept in the index of backups, and comes out as what it was.
    #[test]
    fn every_meaning_reads_back() {
        let certificate = Certificate {
            subject: "CN=a".into(),
            names: Vec::new(),
            not_before: 1,
            not_after: 2,
            fingerprint: "f".into(),
        };
        for meaning in [
            Meaning::Nginx(nginx::Site::default()),
            Meaning::PhpFpm(PhpPools { pools: Vec::new() }),
            Meaning::Ssl(PemFile { certificate: Some(certificate), certificates: 1, private_key: false }),
            Meaning::Ssl(PemFile { certificate: None, certificates: 0, private_key: true }),
            Meaning::Cron(CronFile { jobs: Vec::new() }),
        ] {
            let written = serde_json::to_string(&meaning).unwrap();
            assert_eq!(serde_json::from_str::<Meaning>(&written).unwrap(), meaning, "{written}");
        }
    }
}
