//! FlowSchemas: which requests are alike.

use api::Object as _;
use api::SimTime;
use api::object::Tree;
use api::time::{MILLISECOND, SECOND};
use serde_json::Value;

use super::{Arrival, Origin};
use crate::authorization::MASTERS;
use crate::registry::admission_rules::{items, text, texts};

const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

#[derive(Clone)]
pub struct FlowSchema {
    pub name: String,
    pub uid: String,
    /// Its place among the levels.
    pub level: usize,
    pub counts: Counts,
    precedence: i64,
    distinguisher: Distinguisher,
    rules: Vec<Rule>,
}

/// What became of its requests.
#[derive(Clone, Default)]
pub struct Counts {
    pub dispatched: u64,
    /// In the order of [`super::Refusal::ALL`].
    pub rejected: [u64; 3],
    /// How many waited no longer than each of [`WAITS`].
    pub waited: [u64; WAITS.len()],
    pub waited_in_all: SimTime,
}

/// The upper bounds of upstream's histogram of waits.
pub const WAITS: [SimTime; 12] = [
    0,
    5 * MILLISECOND,
    20 * MILLISECOND,
    50 * MILLISECOND,
    100 * MILLISECOND,
    200 * MILLISECOND,
    500 * MILLISECOND,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    30 * SECOND,
];

impl Counts {
    pub(super) fn dispatch(&mut self, waited: SimTime) {
        self.dispatched += 1;
        self.waited_in_all += waited;
        for (count, bound) in self.waited.iter_mut().zip(WAITS) {
            *count += u64::from(waited <= bound);
        }
    }
}

/// What tells the flows of a schema apart.
#[derive(Clone, Copy, PartialEq)]
enum Distinguisher {
    Nothing,
    User,
    Namespace,
}

#[derive(Clone)]
struct Rule {
    subjects: Vec<Subject>,
    resources: Vec<ResourceRule>,
    /// Verbs and paths.
    paths: Vec<(Names, Names)>,
}

#[derive(Clone)]
enum Subject {
    User(String),
    Group(String),
    /// Namespace and name, which may be `*`.
    ServiceAccount(String, String),
}

#[derive(Clone)]
struct ResourceRule {
    verbs: Names,
    groups: Names,
    resources: Names,
    namespaces: Names,
    cluster_scope: bool,
}

/// Names, or any.
#[derive(Clone)]
enum Names {
    Any,
    These(Vec<String>),
}

impl Names {
    fn of(rule: &Value, list: &str) -> Names {
        let names = texts(rule, list);
        if names.contains(&"*") { Names::Any } else { Names::These(names.into_iter().map(str::to_owned).collect()) }
    }

    fn has(&self, is_it: impl Fn(&str) -> bool) -> bool {
        match self {
            Names::Any => true,
            Names::These(names) => names.iter().any(|name| is_it(name)),
        }
    }
}

/// The schemas whose level there is, in the order in which they are tried.
pub(super) fn read<'a>(
    schemas: impl Iterator<Item = &'a Tree>,
    level: impl Fn(&str) -> Option<usize>,
) -> Vec<FlowSchema> {
    let mut schemas: Vec<FlowSchema> = schemas
        .filter_map(|schema| {
            let level = level(schema.text("/spec/priorityLevelConfiguration/name"))?;
            Some(FlowSchema::of(schema, level))
        })
        .collect();
    schemas.sort_by(|one, other| (one.precedence, &one.name).cmp(&(other.precedence, &other.name)));
    schemas
}

impl FlowSchema {
    fn of(schema: &Tree, level: usize) -> FlowSchema {
        let spec = schema.get("spec").unwrap_or(&Value::Null);
        FlowSchema {
            name: schema.meta().name.clone().unwrap_or_default(),
            uid: schema.meta().uid.clone().unwrap_or_default(),
            level,
            counts: Counts::default(),
            precedence: spec["matchingPrecedence"].as_i64().unwrap_or_default(),
            distinguisher: match schema.text("/spec/distinguisherMethod/type") {
                "ByUser" => Distinguisher::User,
                "ByNamespace" => Distinguisher::Namespace,
                _ => Distinguisher::Nothing,
            },
            rules: items(spec, "rules").iter().map(Rule::of).collect(),
        }
    }

    pub(super) fn matches(&self, arrival: &Arrival) -> bool {
        self.rules.iter().any(|rule| rule.matches(arrival))
    }

    /// What stands for the flow of a request when queues are dealt.
    pub(super) fn flow_hash(&self, arrival: &Arrival) -> u64 {
        let distinguisher = match self.distinguisher {
            Distinguisher::Nothing => "",
            Distinguisher::User => &arrival.user.name,
            Distinguisher::Namespace => arrival.attributes.namespace,
        };
        let digest = hmac_sha256::Hash::hash(&[self.name.as_bytes(), &[0], distinguisher.as_bytes()].concat());
        u64::from_le_bytes(*digest.first_chunk().expect("a digest has 32 bytes"))
    }
}

impl Rule {
    fn of(rule: &Value) -> Rule {
        let resource = |rule: &Value| ResourceRule {
            verbs: Names::of(rule, "verbs"),
            groups: Names::of(rule, "apiGroups"),
            resources: Names::of(rule, "resources"),
            namespaces: Names::of(rule, "namespaces"),
            cluster_scope: rule["clusterScope"] == true,
        };
        Rule {
            subjects: items(rule, "subjects").iter().filter_map(Subject::of).collect(),
            resources: items(rule, "resourceRules").iter().map(resource).collect(),
            paths: items(rule, "nonResourceRules")
                .iter()
                .map(|rule| (Names::of(rule, "verbs"), Names::of(rule, "nonResourceURLs")))
                .collect(),
        }
    }

    fn matches(&self, arrival: &Arrival) -> bool {
        let about = match arrival.attributes.path {
            Some(path) => {
                let verb = |name: &str| name == arrival.attributes.verb;
                let url =
                    |url: &str| url == path || url.strip_suffix('*').is_some_and(|prefix| path.starts_with(prefix));
                self.paths.iter().any(|(verbs, urls)| verbs.has(verb) && urls.has(url))
            }
            None => self.resources.iter().any(|rule| rule.matches(arrival)),
        };
        about && self.subjects.iter().any(|subject| subject.is(arrival))
    }
}

impl ResourceRule {
    fn matches(&self, arrival: &Arrival) -> bool {
        let asked = &arrival.attributes;
        let resource = |name: &str| match name.split_once('/') {
            None => name == asked.resource && asked.subresource.is_empty(),
            Some((resource, subresource)) => resource == asked.resource && subresource == asked.subresource,
        };
        let in_scope = match asked.namespace {
            "" => self.cluster_scope,
            namespace => self.namespaces.has(|name| name == namespace),
        };
        in_scope
            && self.verbs.has(|verb| verb == asked.verb)
            && self.groups.has(|group| group == asked.group)
            && self.resources.has(resource)
    }
}

impl Subject {
    fn of(subject: &Value) -> Option<Subject> {
        let name = |part: &str, field: &str| text(&subject[part], field).to_owned();
        match text(subject, "kind") {
            "User" => Some(Subject::User(name("user", "name"))),
            "Group" => Some(Subject::Group(name("group", "name"))),
            "ServiceAccount" => {
                Some(Subject::ServiceAccount(name("serviceAccount", "namespace"), name("serviceAccount", "name")))
            }
            _ => None,
        }
    }

    fn is(&self, arrival: &Arrival) -> bool {
        let user = arrival.user;
        match self {
            Subject::User(name) => name == "*" || *name == user.name,
            Subject::Group(group) => {
                let is_short_cut = arrival.origin == Origin::Component && group == MASTERS;
                !is_short_cut && (group == "*" || user.is_in(group))
            }
            Subject::ServiceAccount(namespace, name) => {
                let account = user.name.strip_prefix(SERVICE_ACCOUNT).and_then(|rest| rest.split_once(':'));
                account.is_some_and(|(of, account)| of == namespace && (name == "*" || account == name))
            }
        }
    }
}
