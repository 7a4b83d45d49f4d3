//! Services that only remember what they were asked.

use super::{Answer, Health, Refresh, Service, Services};
use crate::error::{Error, Result};
use crate::path::Domain;
use crate::siteconf::ConfFile;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
struct Memory {
    calls: Vec<String>,
    failures: HashMap<String, VecDeque<Error>>,
}

/// A stand-in: everything works, except what was told to fail.
///
/// Calls are named `health nginx`, `test php_fpm`, `reload nginx`, `refresh_code`, `fetch`.
#[derive(Debug, Default)]
pub struct FakeServices {
    memory: Mutex<Memory>,
}

impl FakeServices {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the next call of this name fail with the error; several failures come one after the other.
    pub fn fail(&self, call: &str, error: Error) {
        self.memory().failures.entry(call.to_owned()).or_default().push_back(error);
    }

    /// The calls so far, in order.
    pub fn calls(&self) -> Vec<String> {
        self.memory().calls.clone()
    }

    fn called(&self, call: String) -> Result<()> {
        let mut memory = self.memory();
        let failure = memory.failures.get_mut(&call).and_then(VecDeque::pop_front);
        memory.calls.push(call);
        failure.map_or(Ok(()), Err)
    }
}

fn key(service: Service) -> &'static str {
    match service {
        Service::Nginx => "nginx",
        Service::PhpFpm => "php_fpm",
        Service::Redis => "redis",
    }
}

impl Services for FakeServices {
    fn health(&self, service: Service, _: &Domain) -> Health {
        match self.called(format!("health {}", key(service))) {
            Ok(()) => Health { up: true, evidence: "stand-in".into() },
            Err(error) => Health { up: false, evidence: error.message },
        }
    }

    fn test(&self, service: Service, _: &[ConfFile]) -> Result<Vec<String>> {
        self.called(format!("test {}", key(service))).map(|()| Vec::new())
    }

    fn reload(&self, service: Service) -> Result<()> {
        self.called(format!("reload {}", key(service)))
    }

    fn refresh_code(&self, _: &Domain) -> Refresh {
        match self.called("refresh_code".into()) {
            Ok(()) => Refresh { done: true, evidence: "stand-in".into() },
            Err(error) => Refresh { done: false, evidence: error.message },
        }
    }

    fn fetch(&self, _: &Domain) -> Result<Answer> {
        self.called("fetch".into()).map(|()| Answer { status: 200, bytes: 1, millis: 0, location: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn failures_come_once_and_calls_are_remembered() {
        let fake = FakeServices::default();
        fake.fail("reload nginx", Error::new(Code::ReloadFailed, "no"));
        assert_eq!(fake.reload(Service::Nginx).unwrap_err().code, Code::ReloadFailed);
        fake.reload(Service::Nginx).unwrap();
        fake.reload(Service::PhpFpm).unwrap();
        assert_eq!(fake.calls(), ["reload nginx", "reload nginx", "reload php_fpm"]);
    }
}
