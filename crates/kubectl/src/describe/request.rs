//! Requests for certificates.

use api::x509::{self, CertificateRequest};
use serde_json::Value;

use super::events::events;
use super::{Context, Writer, format_labels, text, time};

pub(super) fn certificate_request(writer: &mut Writer, value: &Value, context: &mut Context) {
    let object = context.info.object.clone();
    let spec = &value["spec"];
    let request = match CertificateRequest::decode(spec["request"].as_str().unwrap_or_default()) {
        Ok(request) => request,
        Err(why) => return context.call.io.err_line(format!("error: Error parsing CSR: {why}")),
    };
    writer.field(0, "Name", object.name());
    writer.field(0, "Labels", format_labels(object.meta().labels.as_ref()));
    writer.field(0, "Annotations", format_labels(object.meta().annotations.as_ref()));
    writer.field(0, "CreationTimestamp", time(object.meta().creation_timestamp.as_ref()));
    writer.field(0, "Requesting User", text(&spec["username"]));
    writer.field(0, "Signer", text(&spec["signerName"]));
    if let Some(seconds) = spec["expirationSeconds"].as_i64() {
        writer.field(0, "Requested Duration", api::table::age::human(seconds));
    }
    writer.field(0, "Status", status(value));
    writer.line(0, "Subject:");
    let first = |attribute| request.subject_values(attribute).into_iter().next().unwrap_or_default();
    writer.line(0, format!("\tCommon Name:\t{}", first(x509::COMMON_NAME)));
    writer.line(0, format!("\tSerial Number:\t{}", first(x509::SERIAL_NUMBER)));
    for (title, attribute) in [
        ("Organization", x509::ORGANIZATION),
        ("Organizational Unit", x509::ORGANIZATIONAL_UNIT),
        ("Country", x509::COUNTRY),
        ("Locality", x509::LOCALITY),
        ("Province", x509::PROVINCE),
        ("StreetAddress", x509::STREET),
        ("PostalCode", x509::POSTAL_CODE),
    ] {
        list(writer, title, &request.subject_values(attribute));
    }
    let plain: fn(&[u8]) -> String = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let names = [
        ("DNS Names", x509::DNS, plain),
        ("Email Addresses", x509::EMAIL, plain),
        ("URIs", x509::URI, plain),
        ("IP Addresses", x509::IP, address),
    ];
    let names = names.map(|(title, tag, shown)| (title, request.names(tag).into_iter().map(shown).collect::<Vec<_>>()));
    if names.iter().any(|(_, names)| !names.is_empty()) {
        writer.line(0, "Subject Alternative Names:");
        names.iter().for_each(|(title, names)| list(writer, title, names));
    }
    events(writer, context);
}

fn list(writer: &mut Writer, title: &str, values: &[String]) {
    if !values.is_empty() {
        writer.line(0, format!("\t{title}:\t{}", values.join("\n\t\t")));
    }
}

fn address(bytes: &[u8]) -> String {
    match <[u8; 16]>::try_from(bytes) {
        Ok(bytes) => std::net::Ipv6Addr::from(bytes).to_string(),
        Err(_) => bytes.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
    }
}

/// `Pending`, `Denied`, `Approved,Issued`.
fn status(value: &Value) -> String {
    let conditions = value["status"]["conditions"].as_array().into_iter().flatten();
    let types: Vec<&str> = conditions.filter_map(|condition| condition["type"].as_str()).collect();
    let mut status = match () {
        () if types.contains(&"Denied") => "Denied".to_owned(),
        () if types.contains(&"Approved") => "Approved".to_owned(),
        () => "Pending".to_owned(),
    };
    if types.contains(&"Failed") {
        status.push_str(",Failed");
    }
    if value["status"]["certificate"].as_str().is_some_and(|certificate| !certificate.is_empty()) {
        status.push_str(",Issued");
    }
    status
}
