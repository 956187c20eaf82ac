//! Rules of roles as `describe` and `auth can-i --list` show them: broken down to single resources and put together again.
//! Upstream's `kubectl/pkg/util/rbac`.

use serde_json::Value;

use crate::output::go_text;

/// A rule of one resource or one path.
#[derive(Clone, Debug, Default, PartialEq)]
struct Single {
    group: Option<String>,
    resource: Option<String>,
    name: Option<String>,
    path: Option<String>,
    verbs: Vec<String>,
}

/// The lines of a table: resources, paths, resource names, verbs.
pub(crate) fn table(rules: &Value) -> Vec<[String; 4]> {
    let broken_down = rules.as_array().into_iter().flatten().flat_map(break_down);
    let mut compact: Vec<Single> = Vec::new();
    for rule in broken_down {
        let same = |other: &&mut Single| {
            rule.path.is_none()
                && (&other.group, &other.resource, &other.name) == (&rule.group, &rule.resource, &rule.name)
        };
        match compact.iter_mut().find(same) {
            Some(known) => {
                let new: Vec<String> = rule.verbs.into_iter().filter(|verb| !known.verbs.contains(verb)).collect();
                known.verbs.extend(new);
            }
            None => compact.push(rule),
        }
    }
    compact.sort_by_cached_key(Single::sort_key);
    compact.iter().map(Single::cells).collect()
}

fn break_down(rule: &Value) -> Vec<Single> {
    let list = |field: &str| -> Vec<String> {
        let texts = rule[field].as_array().into_iter().flatten();
        texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let (verbs, names) = (list("verbs"), list("resourceNames"));
    let names: Vec<Option<String>> = if names.is_empty() { vec![None] } else { names.into_iter().map(Some).collect() };
    let mut singles = Vec::new();
    for group in list("apiGroups") {
        for resource in list("resources") {
            for verb in &verbs {
                singles.extend(names.iter().map(|name| Single {
                    group: Some(group.clone()),
                    resource: Some(resource.clone()),
                    name: name.clone(),
                    path: None,
                    verbs: vec![verb.clone()],
                }));
            }
        }
    }
    for path in list("nonResourceURLs") {
        let of = |verb: &String| Single { path: Some(path.clone()), verbs: vec![verb.clone()], ..Single::default() };
        singles.extend(verbs.iter().map(of));
    }
    singles
}

/// `[a]`, or `[]` for nothing.
fn bracketed(text: Option<&String>) -> String {
    format!("[{}]", text.map_or("", String::as_str))
}

impl Single {
    /// What Go's `PolicyRule.String` gives: upstream sorts by it.
    fn sort_key(&self) -> String {
        format!(
            "Verbs:{},APIGroups:{},Resources:{},ResourceNames:{},NonResourceURLs:{},",
            go_text(&Value::from(self.verbs.clone())),
            bracketed(self.group.as_ref()),
            bracketed(self.resource.as_ref()),
            bracketed(self.name.as_ref()),
            bracketed(self.path.as_ref()),
        )
    }

    fn cells(&self) -> [String; 4] {
        let resource = self.resource.as_deref().unwrap_or_default();
        let (plural, sub) = resource.split_once('/').map_or((resource, None), |(plural, sub)| (plural, Some(sub)));
        let mut shown = plural.to_owned();
        if let Some(group) = self.group.as_deref().filter(|group| !group.is_empty()) {
            shown.push_str(&format!(".{group}"));
        }
        if let Some(sub) = sub {
            shown.push_str(&format!("/{sub}"));
        }
        [shown, bracketed(self.path.as_ref()), bracketed(self.name.as_ref()), go_text(&Value::from(self.verbs.clone()))]
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::table;

    #[test]
    fn rules_are_compacted_and_sorted() {
        let rules = json!([
            { "apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"] },
            { "apiGroups": [""], "resources": ["pods"], "verbs": ["watch", "get"] },
            { "apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create"], "resourceNames": ["a", "b"] },
            { "nonResourceURLs": ["/healthz"], "verbs": ["get", "head"] },
        ]);
        let text: String = table(&rules).iter().map(|line| line.join(" | ") + "\n").collect();
        expect![[r#"
            deployments.apps | [] | [a] | [create]
            deployments.apps | [] | [b] | [create]
            pods | [] | [] | [get list watch]
            pods/log | [] | [] | [get list]
             | [/healthz] | [] | [get]
             | [/healthz] | [] | [head]
        "#]]
        .assert_eq(&text);
    }
}
