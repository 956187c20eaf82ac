//! `kubectl describe`

use crate::describe;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, int, on_by_default, switch, text};
use crate::resource::{self, Rules};
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    text("selector", 'l', "Label selector"),
    switch("all-namespaces", 'A', "In all namespaces"),
    on_by_default("show-events", "Show events"),
    int("chunk-size", ' ', "500", "Objects to ask for at once"),
];

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    if args.operands.is_empty() && !resource::names_files(args) {
        return Err(Failure::error(
            "You must specify the type of resource to describe. Use \"kubectl api-resources\" for a complete list of \
             supported resources.",
        ));
    }
    let mut is_guessed = false;
    let mut picked = resource::pick(call, args, Rules { all_of_type: true, ..Rules::default() })?;
    // A name that does not exist may be the beginning of some that do.
    if picked.infos.is_empty()
        && let Ok(resource::Named::Objects(objects)) = resource::read(call.client, &args.operands)
    {
        let space = super::namespace(call, args);
        for (kind, prefix) in objects {
            let Ok((all, _)) = resource::list(call, kind, &space, api::Options::default()) else { continue };
            let named = all.into_iter().filter(|object| object.name().starts_with(&prefix));
            picked.infos.extend(named.map(|object| resource::info(kind, object)));
        }
        if !picked.infos.is_empty() {
            picked.failures.clear();
            is_guessed = true;
        }
    }
    if picked.infos.is_empty() && picked.failures.is_empty() {
        let text = match args.is("all-namespaces") {
            true => "No resources found".to_owned(),
            false => format!("No resources found in {} namespace.", super::namespace(call, args)),
        };
        call.io.err_line(text);
        return Ok(0);
    }
    for (at, info) in picked.infos.iter().enumerate() {
        if at > 0 && !is_guessed {
            call.io.out("\n\n");
        }
        let text = describe::describe(call, info, args.is("show-events"));
        call.io.out(&text);
        if is_guessed {
            call.io.out("\n");
        }
    }
    Failure::all(picked.failures).map_or(Ok(0), Err)
}
