//! ConfigMaps, Secrets, ServiceAccounts.

use api::types::{ConfigMap, Secret, ServiceAccount};

use super::events::events;
use super::{Context, Writer, head, labels_and_annotations};

pub(super) fn config_map(writer: &mut Writer, map: &ConfigMap, context: &mut Context) {
    head(writer, &map.metadata);
    labels_and_annotations(writer, &map.metadata);
    writer.line(0, "\nData\n====");
    for (key, value) in map.data.iter().flatten() {
        writer.line(0, format!("{key}:\n----\n{value}\n"));
    }
    writer.line(0, "\nBinaryData\n====");
    for (key, value) in map.binary_data.iter().flatten() {
        writer.line(0, format!("{key}: {} bytes", value.0.len()));
    }
    writer.line(0, "");
    events(writer, context);
}

pub(super) fn secret(writer: &mut Writer, secret: &Secret, _: &mut Context) {
    head(writer, &secret.metadata);
    labels_and_annotations(writer, &secret.metadata);
    writer.line(0, format!("\nType:\t{}\n", secret.type_.as_deref().unwrap_or_default()));
    writer.line(0, "Data\n====");
    for (key, value) in secret.data.iter().flatten() {
        if key == "token" && secret.type_.as_deref() == Some("kubernetes.io/service-account-token") {
            writer.field(0, key, String::from_utf8_lossy(&value.0));
        } else {
            writer.field(0, key, format!("{} bytes", value.0.len()));
        }
    }
}

pub(super) fn service_account(writer: &mut Writer, account: &ServiceAccount, context: &mut Context) {
    head(writer, &account.metadata);
    labels_and_annotations(writer, &account.metadata);
    let namespace = account.metadata.namespace.clone().unwrap_or_default();
    let mut shown = |name: &str| match context.call.client.get::<Secret>(&namespace, name) {
        Ok(_) => name.to_owned(),
        Err(_) => format!("{name} (not found)"),
    };
    let pull: Vec<String> = account.image_pull_secrets.iter().flatten().map(|secret| shown(&secret.name)).collect();
    let mount: Vec<String> =
        account.secrets.iter().flatten().map(|secret| shown(secret.name.as_deref().unwrap_or_default())).collect();
    writer.list(0, "Image pull secrets", &pull);
    writer.list(0, "Mountable secrets", &mount);
    writer.list(0, "Tokens", &[]);
    events(writer, context);
}
