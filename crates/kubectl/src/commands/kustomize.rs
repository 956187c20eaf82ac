//! `kubectl kustomize`

use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, array, switch, text};
use crate::kustomize;
use crate::output;
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    text("output", 'o', "A file to write to"),
    text("load-restrictor", ' ', "Where files may come from").or("LoadRestrictionsRootOnly"),
    switch("enable-helm", ' ', "Use Helm"),
    switch("enable-alpha-plugins", ' ', "Use plug-ins"),
    array("env", 'e', "Variables for plug-ins"),
    array("mount", ' ', "Folders for plug-ins"),
    switch("network", ' ', "Let plug-ins use the network"),
    text("network-name", ' ', "The network for plug-ins").or("bridge"),
    switch("as-current-user", ' ', "Run plug-ins as the current user"),
    text("helm-command", ' ', "How Helm is called").or("helm"),
    array("helm-api-versions", ' ', "The API versions that Helm is told of"),
    text("helm-kube-version", ' ', "The version that Helm is told of"),
    switch("helm-debug", ' ', "Let Helm say more"),
];

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    let folder = match args.operands.as_slice() {
        [] => ".",
        [folder] => folder,
        _ => return Err(Failure::error("specify one path to kustomization.yaml")),
    };
    let built = kustomize::build(&call.state.files, folder).map_err(Failure::error)?;
    for warning in built.warnings {
        call.io.err_line(warning);
    }
    let texts: Vec<String> = built.objects.iter().map(output::yaml).collect();
    let text = texts.join("---\n");
    match args.some_text("output") {
        Some(file) => call.state.files.write(file, text),
        None => call.io.out(&text),
    }
    Ok(0)
}
