//! Share links: a scenario in a URL fragment, `v1.<codec>.<payload>.<sum>`.
//!
//! Codec `d` is the scenario as JSON, raw DEFLATE, base64url without padding; the sum is the payload's FNV-1a hash in eight
//! hexadecimal digits. A reader that does not know the version or the codec says so. Chat programs cut links: one without
//! its whole sum was cut, one whose sum differs was changed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};
use protocol::scenario::Scenario;
use protocol::{Problem, ProblemKind};

const VERSION: &str = "v1";
const CODEC: &str = "d";
const SUM_DIGITS: usize = 8;
/// What a link may unfold to.
const UNFOLDED_MAX: usize = 16 << 20;

/// The fragment for a scenario, without `#`.
pub fn encode(scenario: &Scenario) -> String {
    let json = serde_json::to_vec(scenario).expect("a scenario always has a JSON form");
    let payload = URL_SAFE_NO_PAD.encode(compress_to_vec(&json, 9));
    format!("{VERSION}.{CODEC}.{payload}.{:08x}", fnv1a(&payload))
}

fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Reads a fragment back.
pub fn decode(fragment: &str) -> Result<Scenario, Problem> {
    let problem = |kind, message: &str| Problem { kind, message: message.into() };
    let corrupt = |message: &str| problem(ProblemKind::LinkCorrupt, message);
    let (version, rest) = fragment.split_once('.').ok_or_else(|| corrupt("This is no Tabernetes link."))?;
    let number = version.strip_prefix('v').and_then(|number| number.parse::<u32>().ok());
    match number {
        Some(1) => {}
        Some(newer) if newer > 1 => {
            let message = format!("This link has version v{newer}; this page reads up to {VERSION}.");
            return Err(problem(ProblemKind::TooNew, &message));
        }
        _ => return Err(corrupt("This is no Tabernetes link.")),
    }
    let Some((codec, payload)) = rest.split_once('.') else {
        return Err(problem(ProblemKind::LinkCutShort, "The link ends before its content begins."));
    };
    if codec != CODEC {
        let message = format!("This link is packed with a codec ({codec:?}) that this page does not know.");
        return Err(problem(ProblemKind::TooNew, &message));
    }
    let cut = || {
        let message = format!("The link ends after {} characters, before its content does.", fragment.len() + 1);
        problem(ProblemKind::LinkCutShort, &message)
    };
    let Some((payload, sum)) = payload.split_once('.').filter(|(_, sum)| sum.len() >= SUM_DIGITS) else {
        return Err(cut());
    };
    let damaged = || corrupt("Some of the link's characters have changed on their way.");
    if sum != format!("{:08x}", fnv1a(payload)) {
        return Err(damaged());
    }
    let packed = URL_SAFE_NO_PAD.decode(payload).map_err(|_| damaged())?;
    let json = decompress_to_vec_with_limit(&packed, UNFOLDED_MAX).map_err(|error| match error.status {
        TINFLStatus::HasMoreOutput => corrupt("The link unfolds to more than 16 MiB."),
        _ => damaged(),
    })?;
    serde_json::from_slice(&json).map_err(|error| corrupt(&format!("The link's content is no scenario: {error}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem_of(fragment: &str) -> ProblemKind {
        decode(fragment).unwrap_err().kind
    }

    #[test]
    fn a_link_brings_its_scenario_back_or_says_what_is_wrong() {
        let scenario = crate::examples::find("guestbook").expect("the first example");
        let link = encode(&scenario);
        assert_eq!(decode(&link).unwrap(), scenario);

        assert_eq!(problem_of(&link[..link.len() / 2]), ProblemKind::LinkCutShort);
        assert_eq!(problem_of(&link[..5]), ProblemKind::LinkCutShort);
        assert_eq!(problem_of(&link.replacen("v1.", "v2.", 1)), ProblemKind::TooNew);
        assert_eq!(problem_of(&link.replacen(".d.", ".zstd.", 1)), ProblemKind::TooNew);
        assert_eq!(problem_of("hello"), ProblemKind::LinkCorrupt);
        assert_eq!(problem_of(&link[..link.len() - 1]), ProblemKind::LinkCutShort);
        let changed = |at: usize| {
            let other = if link.as_bytes()[at] == b'A' { "B" } else { "A" };
            format!("{}{other}{}", &link[..at], &link[at + 1..])
        };
        for at in (5..link.len()).step_by(37).filter(|at| link.as_bytes()[*at] != b'.') {
            assert_eq!(problem_of(&changed(at)), ProblemKind::LinkCorrupt, "character {at}");
        }
        let other = URL_SAFE_NO_PAD.encode(compress_to_vec(b"{\"kind\": \"Pod\"}", 9));
        assert_eq!(problem_of(&format!("v1.d.{other}.{:08x}", fnv1a(&other))), ProblemKind::LinkCorrupt);
    }
}
