//! Texts that several printers share.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

/// `a=b,c=d`, or `<none>`.
pub fn labels(labels: Option<&BTreeMap<String, String>>) -> String {
    match labels.filter(|labels| !labels.is_empty()) {
        Some(labels) => labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(","),
        None => "<none>".into(),
    }
}

/// A structured selector as text: upstream's `FormatLabelSelector`.
pub fn label_selector(selector: Option<&LabelSelector>) -> String {
    let Some(selector) = selector else { return "<none>".into() };
    let mut parts: Vec<(String, String)> =
        selector.match_labels.iter().flatten().map(|(name, value)| (name.clone(), format!("{name}={value}"))).collect();
    for expression in selector.match_expressions.iter().flatten() {
        let key = &expression.key;
        let mut values = expression.values.clone().unwrap_or_default();
        values.sort();
        let values = values.join(",");
        let text = match expression.operator.as_str() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.clone(),
            "DoesNotExist" => format!("!{key}"),
            _ => return "<error>".into(),
        };
        parts.push((key.clone(), text));
    }
    if parts.is_empty() {
        return "<none>".into();
    }
    parts.sort_by(|a, b| a.0.cmp(&b.0));
    parts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(",")
}

/// Names and images of a template's containers.
pub fn containers(template: Option<&PodTemplateSpec>) -> (String, String) {
    let containers = template.and_then(|template| template.spec.as_ref()).map_or(&[][..], |spec| &spec.containers);
    let names: Vec<&str> = containers.iter().map(|container| container.name.as_str()).collect();
    let images: Vec<&str> = containers.iter().map(|container| container.image.as_deref().unwrap_or_default()).collect();
    (names.join(","), images.join(","))
}

/// At most three of many: `a,b,c + 2 more...`
pub fn first_three(all: &[String], none: &str) -> String {
    if all.is_empty() {
        return none.into();
    }
    let shown = all[..all.len().min(3)].join(",");
    if all.len() > 3 { format!("{shown} + {} more...", all.len() - 3) } else { shown }
}

pub fn or_none(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).unwrap_or("<none>").into()
}

pub fn or_unset(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).unwrap_or("<unset>").into()
}

/// `RWO,ROX,RWX,RWOP`, each once.
pub fn access_modes(modes: Option<&Vec<String>>) -> String {
    let known =
        [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")];
    let given = modes.map_or(&[][..], Vec::as_slice);
    let shown = known.iter().filter(|(mode, _)| given.iter().any(|given| given == mode));
    shown.map(|(_, short)| *short).collect::<Vec<_>>().join(",")
}
