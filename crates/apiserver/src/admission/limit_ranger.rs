//! LimitRanger: what containers ask for when they say nothing, and how much they, Pods and claims may ask for.

use api::quantity::Amount;
use api::quota::{Resources, limits, pod_resources, requests};
use api::types::{Container, LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod, Quantity};
use api::{Object, Status, Subresource, Verb, meta};

use super::Attributes;
use crate::storage::Storage;

const ANNOTATION: &str = "kubernetes.io/limit-ranger";

pub(super) fn admit(
    storage: &Storage,
    attributes: &Attributes,
    object: &mut dyn Object,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    if !is_about_containers(attributes) || old.is_some_and(is_ending) {
        return Ok(());
    }
    let Some(pod) = object.downcast_mut::<Pod>() else { return Ok(()) };
    for range in ranges(storage, attributes) {
        set_defaults(pod, range);
    }
    Ok(())
}

pub(super) fn validate(
    storage: &Storage,
    attributes: &Attributes,
    object: &dyn Object,
    old: Option<&dyn Object>,
) -> Result<(), Status> {
    let is_pod = object.downcast_ref::<Pod>().is_some() && is_about_containers(attributes);
    let is_claim = matches!(attributes.verb, Verb::Create | Verb::Update)
        && attributes.is(Subresource::None)
        && object.downcast_ref::<PersistentVolumeClaim>().is_some();
    if !(is_pod || is_claim) || old.is_some_and(is_ending) {
        return Ok(());
    }
    for range in ranges(storage, attributes) {
        let mut broken = Broken::default();
        for limit in range.spec.iter().flat_map(|spec| &spec.limits) {
            broken.check(limit, object);
        }
        match &broken.rules[..] {
            [] => {}
            [rule] => return Err(Status::forbidden(attributes.kind, object.name(), rule)),
            rules => {
                let why = format!("[{}]", rules.join(", "));
                return Err(Status::forbidden(attributes.kind, object.name(), &why));
            }
        }
    }
    Ok(())
}

/// What containers ask for is said when their Pod is created, and when it is resized.
fn is_about_containers(attributes: &Attributes) -> bool {
    match attributes.verb {
        Verb::Create => attributes.is(Subresource::None),
        Verb::Update => attributes.is(Subresource::Resize),
        _ => false,
    }
}

fn is_ending(old: &dyn Object) -> bool {
    old.meta().deletion_timestamp.is_some()
}

fn ranges<'a>(storage: &'a Storage, attributes: &'a Attributes) -> impl Iterator<Item = &'a LimitRange> {
    storage.in_namespace::<LimitRange>(&attributes.request.namespace)
}

/// Gives containers the range's defaults, and says so in an annotation.
fn set_defaults(pod: &mut Pod, range: &LimitRange) {
    let (mut default_limits, mut default_requests) = (Resources::new(), Resources::new());
    for limit in range.spec.iter().flat_map(|spec| &spec.limits).filter(|limit| limit.type_ == "Container") {
        default_limits.extend(limit.default.clone().unwrap_or_default());
        default_requests.extend(limit.default_request.clone().unwrap_or_default());
    }
    let Some(spec) = &mut pod.spec else { return };
    let mut notes = Vec::new();
    let regular = spec.containers.iter_mut().map(|container| ("container", container));
    let inits = spec.init_containers.iter_mut().flatten().map(|container| ("init container", container));
    for (what, container) in regular.chain(inits) {
        let resources = container.resources.get_or_insert_default();
        let name = &container.name;
        let mut fill = |into: &mut Option<Resources>, defaults: &Resources, which: &str| {
            let mut set = Vec::new();
            for (resource, amount) in defaults {
                let into = into.get_or_insert_default();
                if !into.contains_key(resource) {
                    into.insert(resource.clone(), amount.clone());
                    set.push(resource.as_str());
                }
            }
            if !set.is_empty() {
                notes.push(format!("{} {which} for {what} {name}", set.join(", ")));
            }
        };
        fill(&mut resources.requests, &default_requests, "request");
        fill(&mut resources.limits, &default_limits, "limit");
    }
    if !notes.is_empty() {
        meta::set_annotation(&mut pod.metadata, ANNOTATION, format!("LimitRanger plugin set: {}", notes.join("; ")));
    }
}

/// The rules that an object breaks, in words.
#[derive(Default)]
struct Broken {
    rules: Vec<String>,
}

impl Broken {
    fn check(&mut self, limit: &LimitRangeItem, object: &dyn Object) {
        let none = Resources::new();
        if let Some(claim) =
            object.downcast_ref::<PersistentVolumeClaim>().filter(|_| limit.type_ == "PersistentVolumeClaim")
        {
            let resources = claim.spec.as_ref().and_then(|spec| spec.resources.as_ref());
            let requests = resources.and_then(|resources| resources.requests.as_ref()).unwrap_or(&none);
            for (name, least) in limit.min.iter().flatten() {
                self.at_least(limit, name, least, requests, &none);
            }
            for (name, most) in limit.max.iter().flatten() {
                match requests.get(name) {
                    None => self.say(limit, "maximum", name, most, ".  No request is specified"),
                    Some(request) => self.at_most(limit, name, most, "request", Some(request)),
                }
            }
        }
        let Some(spec) = object.downcast_ref::<Pod>().and_then(|pod| pod.spec.as_ref()) else { return };
        match limit.type_.as_str() {
            "Container" => {
                for container in spec.containers.iter().chain(spec.init_containers.iter().flatten()) {
                    let of =
                        |which: fn(&Container) -> Option<&Resources>| which(container).cloned().unwrap_or_default();
                    self.check_all(limit, &of(requests), &of(limits));
                }
            }
            "Pod" => self.check_all(limit, &pod_resources(spec, requests), &pod_resources(spec, limits)),
            _ => {}
        }
    }

    fn check_all(&mut self, limit: &LimitRangeItem, requests: &Resources, limits: &Resources) {
        for (name, least) in limit.min.iter().flatten() {
            self.at_least(limit, name, least, requests, limits);
        }
        for (name, most) in limit.max.iter().flatten() {
            match limits.get(name) {
                None => self.say(limit, "maximum", name, most, ".  No limit is specified"),
                Some(given) if Amount::of(given) > Amount::of(most) => {
                    self.at_most(limit, name, most, "limit", Some(given));
                }
                Some(_) => self.at_most(limit, name, most, "request", requests.get(name)),
            }
        }
        for (name, ratio) in limit.max_limit_request_ratio.iter().flatten() {
            self.ratio(limit, name, ratio, requests.get(name), limits.get(name));
        }
    }

    /// Nothing is said twice.
    fn complain(&mut self, rule: String) {
        if !self.rules.contains(&rule) {
            self.rules.push(rule);
        }
    }

    fn say(&mut self, limit: &LimitRangeItem, bound: &str, name: &str, amount: &Quantity, rest: &str) {
        self.complain(format!("{bound} {name} usage per {} is {}{rest}", limit.type_, amount.0));
    }

    fn at_least(
        &mut self,
        limit: &LimitRangeItem,
        name: &str,
        least: &Quantity,
        requests: &Resources,
        limits: &Resources,
    ) {
        let too_little = |given: &&Quantity| Amount::of(given) < Amount::of(least);
        let Some(request) = requests.get(name) else {
            self.say(limit, "minimum", name, least, ".  No request is specified");
            return;
        };
        let request = Some(request).filter(too_little).map(|request| ("request", request));
        let given = limits.get(name).filter(too_little).map(|given| ("limit", given));
        if let Some((what, given)) = request.or(given) {
            self.say(limit, "minimum", name, least, &format!(", but {what} is {}", given.0));
        }
    }

    fn at_most(&mut self, limit: &LimitRangeItem, name: &str, most: &Quantity, what: &str, given: Option<&Quantity>) {
        if let Some(given) = given.filter(|given| Amount::of(given) > Amount::of(most)) {
            self.say(limit, "maximum", name, most, &format!(", but {what} is {}", given.0));
        }
    }

    fn ratio(
        &mut self,
        limit: &LimitRangeItem,
        name: &str,
        ratio: &Quantity,
        request: Option<&Quantity>,
        given: Option<&Quantity>,
    ) {
        let is_given = |amount: &&Quantity| Amount::of(amount).0 != 0;
        let rest = match (request.filter(is_given), given.filter(is_given)) {
            (None, _) => "no request is specified or request is 0".to_owned(),
            (_, None) => "no limit is specified or limit is 0".to_owned(),
            (Some(request), Some(given)) => {
                let provided = Amount::of(given).millis() as f64 / Amount::of(request).millis() as f64;
                if provided * 1000.0 <= Amount::of(ratio).millis() as f64 {
                    return;
                }
                format!("provided ratio is {provided:.6}")
            }
        };
        let type_ = &limit.type_;
        self.complain(format!("{name} max limit to request ratio per {type_} is {}, but {rest}", ratio.0));
    }
}
