//! PriorityClass.

use api::field::{Error, Errors, Path};
use api::types::PriorityClass;

use super::rules::{default_text, default_to, one_of, subdomain_name, text};
use crate::strategy::Strategy;

const HIGHEST_USER_VALUE: i32 = 1_000_000_000;
/// What Kubernetes brings along.
const SYSTEM: [(&str, i32); 2] = [("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)];

impl Strategy for PriorityClass {
    const HAS_GENERATION: bool = true;

    fn default(&mut self) {
        default_to(&mut self.value, 0);
        default_text(&mut self.preemption_policy, "PreemptLowerPriority");
        self.global_default = self.global_default.filter(|global| *global);
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let (name, value) = (text(&self.metadata.name), self.value.unwrap_or(0));
        if name.starts_with("system-") {
            if let Some(why) = unlike_system(name, value, self.global_default == Some(true)) {
                let metadata = Path::new("metadata");
                let why = format!(
                    "priority class names with 'system-' prefix are reserved for system use only. error: {why}"
                );
                errors.push(Error::forbidden(&metadata.child("name"), why));
            }
        } else if value > HIGHEST_USER_VALUE {
            let why = format!("maximum allowed value of a user defined priority is {HIGHEST_USER_VALUE}");
            errors.push(Error::forbidden(&Path::new("value"), why));
        }
        let policy = text(&self.preemption_policy);
        one_of(policy, &["PreemptLowerPriority", "Never"], &Path::new("preemptionPolicy"), &mut errors);
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = Errors::new();
        if self.value != old.value {
            errors.push(Error::forbidden(&Path::new("value"), "may not be changed in an update."));
        }
        if self.preemption_policy != old.preemption_policy {
            let (path, policy) = (Path::new("preemptionPolicy"), text(&self.preemption_policy));
            errors.push(Error::invalid(&path, policy, super::rules::IMMUTABLE));
        }
        errors
    }
}

/// What keeps a class from being one of Kubernetes' own. Upstream: `IsKnownSystemPriorityClass`.
fn unlike_system(name: &str, value: i32, is_default: bool) -> Option<String> {
    let Some((_, wanted)) = SYSTEM.iter().find(|(known, _)| *known == name) else {
        return Some(format!("{name} is not a known system priority class"));
    };
    if value != *wanted {
        return Some(format!("value of {name} PriorityClass must be {wanted}"));
    }
    is_default.then(|| format!("globalDefault of {name} PriorityClass must be false"))
}
