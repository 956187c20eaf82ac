//! Probes and lifecycle hooks.

use api::field::{Error, Errors, Path};
use api::types::{Container, ExecAction, HTTPGetAction, IntOrString, LifecycleHandler, Probe};
use api::validate::{port_name, port_number};

use crate::registry::rules::{complain, list, not_negative, one_of, text};

const SCHEMES: &[&str] = &["HTTP", "HTTPS"];
const SEVERAL: &str = "may not specify more than 1 handler type";

pub(super) fn validate(container: &Container, grace_period: i64, path: &Path, errors: &mut Errors) {
    if let Some(lifecycle) = &container.lifecycle {
        let path = path.child("lifecycle");
        for (name, handler) in [("postStart", &lifecycle.post_start), ("preStop", &lifecycle.pre_stop)] {
            if let Some(handler) = handler {
                hook(handler, grace_period, &path.child(name), errors);
            }
        }
    }
    if let Some(probe) = &container.liveness_probe {
        let path = path.child("livenessProbe");
        self::probe(probe, &path, errors);
        one_success(probe, &path, errors);
    }
    if let Some(probe) = &container.readiness_probe {
        let path = path.child("readinessProbe");
        self::probe(probe, &path, errors);
        if let Some(seconds) = probe.termination_grace_period_seconds {
            let path = path.child("terminationGracePeriodSeconds");
            errors.push(Error::invalid(&path, seconds, "must not be set for readinessProbes"));
        }
    }
    if let Some(probe) = &container.startup_probe {
        let path = path.child("startupProbe");
        self::probe(probe, &path, errors);
        one_success(probe, &path, errors);
    }
}

fn one_success(probe: &Probe, path: &Path, errors: &mut Errors) {
    let threshold = probe.success_threshold.unwrap_or(1);
    if threshold != 1 {
        errors.push(Error::invalid(&path.child("successThreshold"), threshold, "must be 1"));
    }
}

fn probe(probe: &Probe, path: &Path, errors: &mut Errors) {
    let mut handlers = Count::default();
    if let Some(action) = &probe.exec {
        handlers.add("exec", path, errors, |path, errors| exec(action, path, errors));
    }
    if let Some(action) = &probe.http_get {
        handlers.add("httpGet", path, errors, |path, errors| http_get(action, path, errors));
    }
    if let Some(action) = &probe.tcp_socket {
        handlers.add("tcpSocket", path, errors, |path, errors| port(&action.port, &path.child("port"), errors));
    }
    if let Some(action) = &probe.grpc {
        handlers.add("grpc", path, errors, |path, errors| {
            if let Some(why) = port_number(action.port) {
                errors.push(Error::invalid(&path.child("port"), action.port, why));
            }
        });
    }
    handlers.finish(path, errors);
    for (name, value) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ] {
        not_negative(value.unwrap_or(0), &path.child(name), errors);
    }
    if let Some(seconds) = probe.termination_grace_period_seconds.filter(|seconds| *seconds <= 0) {
        errors.push(Error::invalid(&path.child("terminationGracePeriodSeconds"), seconds, "must be greater than 0"));
    }
}

fn hook(handler: &LifecycleHandler, grace_period: i64, path: &Path, errors: &mut Errors) {
    let mut handlers = Count::default();
    if let Some(action) = &handler.exec {
        handlers.add("exec", path, errors, |path, errors| exec(action, path, errors));
    }
    if let Some(action) = &handler.http_get {
        handlers.add("httpGet", path, errors, |path, errors| http_get(action, path, errors));
    }
    if let Some(action) = &handler.tcp_socket {
        handlers.add("tcpSocket", path, errors, |path, errors| port(&action.port, &path.child("port"), errors));
    }
    if let Some(action) = &handler.sleep {
        handlers.add("sleep", path, errors, |path, errors| {
            if action.seconds < 0 || action.seconds > grace_period {
                let why = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace_period})");
                errors.push(Error::invalid(path, action.seconds, why));
            }
        });
    }
    handlers.finish(path, errors);
}

/// How many handlers were seen.
#[derive(Default)]
struct Count(usize);

impl Count {
    fn add(&mut self, name: &str, path: &Path, errors: &mut Errors, check: impl FnOnce(&Path, &mut Errors)) {
        if self.0 > 0 {
            errors.push(Error::forbidden(&path.child(name), SEVERAL));
        } else {
            self.0 += 1;
            check(&path.child(name), errors);
        }
    }

    fn finish(self, path: &Path, errors: &mut Errors) {
        if self.0 == 0 {
            errors.push(Error::required(path, "must specify a handler type"));
        }
    }
}

fn exec(action: &ExecAction, path: &Path, errors: &mut Errors) {
    if list(&action.command).is_empty() {
        errors.push(Error::required(&path.child("command"), ""));
    }
}

fn http_get(action: &HTTPGetAction, path: &Path, errors: &mut Errors) {
    if text(&action.path).is_empty() {
        errors.push(Error::required(&path.child("path"), ""));
    }
    port(&action.port, &path.child("port"), errors);
    one_of(text(&action.scheme), SCHEMES, &path.child("scheme"), errors);
    for header in list(&action.http_headers) {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if header.name.is_empty() || !header.name.bytes().all(is_token) {
            let why = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex \
                       used for validation is '[-A-Za-z0-9]+')";
            errors.push(Error::invalid(&path.child("httpHeaders"), header.name.as_str(), why));
        }
    }
}

/// A port's number or name.
pub(in crate::registry) fn port(port: &IntOrString, path: &Path, errors: &mut Errors) {
    match port {
        IntOrString::Int(number) => {
            if let Some(why) = port_number(*number) {
                errors.push(Error::invalid(path, *number, why));
            }
        }
        IntOrString::String(name) => complain(errors, path, name, port_name(name)),
    }
}
