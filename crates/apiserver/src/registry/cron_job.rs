//! CronJob.

use api::cron::{self, Schedule};
use api::field::{Error, Errors, Path};
use api::types::{CronJob, CronJobSpec, CronJobStatus, JobSpec};
use api::wire::go_json;

use super::rules::{default_text, default_to, not_negative, subdomain_name, text};
use super::{job, pod, pod_template};
use crate::strategy::Strategy;

/// A Job's name is its CronJob's and eleven characters.
const NAME_LENGTH_MAX: usize = 52;

impl Strategy for CronJob {
    const HAS_GENERATION: bool = true;

    fn default(&mut self) {
        let spec = &mut self.spec;
        default_text(&mut spec.concurrency_policy, "Allow");
        default_to(&mut spec.suspend, false);
        default_to(&mut spec.successful_jobs_history_limit, 3);
        default_to(&mut spec.failed_jobs_history_limit, 1);
        spec.job_template.metadata.get_or_insert_default();
        pod_template::default(&mut spec.job_template.spec.get_or_insert_default().template);
        self.status.get_or_insert_default();
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(CronJobStatus::default());
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        self.spec.clone_from(&old.spec);
    }

    fn same_generation(&self, old: &Self) -> bool {
        self.spec == old.spec
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        validate_spec(&self.spec, None, &Path::new("spec"), &mut errors);
        let name = text(&self.metadata.name);
        if name.len() > NAME_LENGTH_MAX {
            let path = Path::new("metadata");
            let why = format!("must be no more than {NAME_LENGTH_MAX} characters");
            errors.push(Error::invalid(&path.child("name"), name, why));
        }
        errors
    }

    fn warnings(&self, is_new: bool) -> Vec<String> {
        let path = Path::new("spec");
        let path = path.child("jobTemplate");
        let path = path.child("spec");
        let name = self.metadata.name.as_deref().filter(|_| is_new);
        let job = self.spec.job_template.spec.as_ref();
        job.map(|job| {
            pod_template::warnings(name, &job.template, &path.child("template"), job::count_warning(job, &path))
        })
        .unwrap_or_default()
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = Errors::new();
        validate_spec(&self.spec, Some(&old.spec), &Path::new("spec"), &mut errors);
        errors
    }
}

fn validate_spec(spec: &CronJobSpec, old: Option<&CronJobSpec>, path: &Path, errors: &mut Errors) {
    if spec.schedule.is_empty() {
        errors.push(Error::required(&path.child("schedule"), ""));
    } else {
        schedule(spec, old, &path.child("schedule"), errors);
    }
    not_negative(spec.starting_deadline_seconds.unwrap_or(0), &path.child("startingDeadlineSeconds"), errors);
    if let Some(zone) = &spec.time_zone
        && old.is_none_or(|old| old.time_zone.as_ref() != Some(zone))
    {
        time_zone(zone, &path.child("timeZone"), errors);
    }
    let policy = text(&spec.concurrency_policy);
    pod::required_word(policy, &["Allow", "Forbid", "Replace"], &path.child("concurrencyPolicy"), errors);
    let template_path = path.child("jobTemplate");
    let job_path = template_path.child("spec");
    let none = JobSpec::default();
    let job = spec.job_template.spec.as_ref().unwrap_or(&none);
    job::validate_spec(job, &job_path, errors);
    if let Some(selector) = &job.selector {
        let shown = go_json("meta.v1.LabelSelector", selector);
        errors.push(Error::invalid_verbatim(&job_path.child("selector"), shown, "`selector` will be auto-generated"));
    }
    if job.manual_selector == Some(true) {
        errors.push(Error::not_supported(&job_path.child("manualSelector"), true, &["nil", "false"]));
    }
    not_negative(spec.successful_jobs_history_limit.unwrap_or(0), &path.child("successfulJobsHistoryLimit"), errors);
    not_negative(spec.failed_jobs_history_limit.unwrap_or(0), &path.child("failedJobsHistoryLimit"), errors);
}

fn schedule(spec: &CronJobSpec, old: Option<&CronJobSpec>, path: &Path, errors: &mut Errors) {
    let schedule = spec.schedule.as_str();
    if let Err(why) = Schedule::parse(schedule) {
        errors.push(Error::invalid(path, schedule, why));
    }
    if !schedule.contains("TZ") {
        return;
    }
    let had_zone = old.is_some_and(|old| old.schedule.contains("TZ"));
    if !had_zone {
        let why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        errors.push(Error::invalid(path, schedule, why));
    } else if spec.time_zone.is_some() {
        let why = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
        errors.push(Error::invalid(path, schedule, why));
    }
}

fn time_zone(zone: &str, path: &Path, errors: &mut Errors) {
    if zone.is_empty() {
        errors.push(Error::invalid(path, zone, "timeZone must be nil or non-empty string"));
    } else if zone.eq_ignore_ascii_case("Local") {
        let why = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        errors.push(Error::invalid(path, zone, why));
    } else if !cron::is_time_zone(zone) {
        errors.push(Error::invalid(path, zone, format!("unknown time zone {zone}")));
    }
}
