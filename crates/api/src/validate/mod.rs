//! Rules that many kinds share: upstream's `util/validation`, `api/validation` and `metav1/validation`.

mod labels;
mod meta;
mod names;

pub use labels::{label_selector, label_selector_allowing_bad_values, labels};
pub use meta::{STANDARD_FINALIZERS, annotations, changed_metadata, finalizer_names, metadata};
pub use names::{
    DNS_1123_LABEL_LENGTH_MAX, DNS_1123_SUBDOMAIN_LENGTH_MAX, config_key, dns1035_label, dns1123_label,
    dns1123_subdomain, env_var_name, fully_qualified_name, label_value, path_segment, port_name, port_number,
    qualified_name, relaxed_env_var_name, trim_prefix_name, wildcard_dns1123_subdomain,
};

/// What upstream's linters of names return: nothing, or why a text is wrong.
pub type Complaints = Vec<String>;
