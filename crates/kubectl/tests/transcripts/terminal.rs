//! What people type besides single commands: pipes, files, here-documents, variables, Ctrl-C, completion.

use api::time::SECOND;
use expect_test::{Expect, expect};
use kubectl::{Outcome, Session, apply_manifest};

use crate::cluster::Cluster;

fn check(lines: &[&str], expected: Expect) {
    let mut cluster = Cluster::new();
    let mut session = Session::new();
    let mut shown = String::new();
    for line in lines {
        let (stdout, stderr, code) = cluster.line(&mut session, line);
        shown.push_str(&format!("$ {line}\n{stdout}{stderr}"));
        if code != 0 {
            shown.push_str(&format!("? {code}\n"));
        }
    }
    expected.assert_eq(&shown);
}

#[test]
fn pipes_and_files() {
    check(
        &[
            "kubectl create deployment web --image=nginx --dry-run=client -o yaml > web.yaml && ls",
            "cat web.yaml | grep -c app",
            "k apply -f web.yaml; k get deploy web --no-headers | awk '{print $1, $2}'",
            "export NAME=$(kubectl get deploy -o jsonpath='{.items[0].metadata.name}')",
            "echo \"it is $NAME\" | tr a-z A-Z",
            "kubectl get nodes -o name | sort -r | head -1",
            "kubectl get nope 2>/dev/null || echo none",
            "frobnicate",
        ],
        expect![[r#"
            $ kubectl create deployment web --image=nginx --dry-run=client -o yaml > web.yaml && ls
            web.yaml
            $ cat web.yaml | grep -c app
            4
            $ k apply -f web.yaml; k get deploy web --no-headers | awk '{print $1, $2}'
            deployment.apps/web created
            web 0/1
            $ export NAME=$(kubectl get deploy -o jsonpath='{.items[0].metadata.name}')
            $ echo "it is $NAME" | tr a-z A-Z
            IT IS WEB
            $ kubectl get nodes -o name | sort -r | head -1
            node/node-3
            $ kubectl get nope 2>/dev/null || echo none
            none
            $ frobnicate
            bash: frobnicate: command not found
            ? 127
        "#]],
    );
}

#[test]
fn here_documents_are_applied() {
    let document =
        "cat <<EOF | kubectl apply -f -\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  a: b\nEOF\n";
    check(
        &[document, "kubectl get cm c -o jsonpath={.data.a}"],
        expect![[r#"
        $ cat <<EOF | kubectl apply -f -
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: c
        data:
          a: b
        EOF

        configmap/c created
        $ kubectl get cm c -o jsonpath={.data.a}
        b"#]],
    );
}

#[test]
fn namespaces_are_deleted() {
    check(
        &["kubectl create ns x", "kubectl run p --image=nginx -n x", "kubectl delete ns x", "kubectl get ns x"],
        expect![[r#"
            $ kubectl create ns x
            namespace/x created
            $ kubectl run p --image=nginx -n x
            pod/p created
            $ kubectl delete ns x
            namespace "x" deleted
            $ kubectl get ns x
            Error from server (NotFound): namespaces "x" not found
            ? 1
        "#]],
    );
}

#[test]
fn watches_end_with_control_c() {
    let mut cluster = Cluster::new();
    let mut session = Session::new();
    let mut running = session.start("kubectl get pods -w --no-headers");
    let first = running.poll(&mut cluster.local.client());
    assert!(first.exit.is_none() && first.wake.is_some());
    cluster.line(&mut session.clone(), "kubectl run p --image=nginx");
    cluster.run_for(SECOND);
    let second = running.poll(&mut cluster.local.client());
    expect![[r#"
        p     0/1   Pending   0     1s
        p     0/1   Pending   0     1s
        p     1/1   Running   0     1s
    "#]]
    .assert_eq(&second.stdout());
    running.interrupt();
    assert_eq!(running.poll(&mut cluster.local.client()).exit, Some(130));
}

#[test]
fn completion_offers_words_with_notes() {
    let mut cluster = Cluster::new();
    let mut session = Session::new();
    cluster.line(&mut session, "kubectl run web --image=nginx");
    let mut shown = String::new();
    for line in
        ["kubectl ro", "kubectl rollout re", "kubectl get dep", "kubectl logs ", "kubectl get pods -o w", "k get --all"]
    {
        let found = session.complete(line, line.len(), &mut cluster.local.client());
        let found: Vec<String> = found.into_iter().map(|found| format!("{} ({})", found.text, found.note)).collect();
        shown.push_str(&format!("{line}: {}\n", found.join(", ")));
    }
    expect![[r#"
        kubectl ro: rollout (Manage the rollout of one or many resources)
        kubectl rollout re: restart (Restart a resource), resume (Resume a paused resource)
        kubectl get dep: deployments (deploy)
        kubectl logs : web (Running)
        kubectl get pods -o w: wide ()
        k get --all: --all-namespaces (Look in all namespaces), --allow-missing-template-keys (Ignore missing fields in templates)
    "#]].assert_eq(&shown);
}

#[test]
fn an_editor_learns_the_line_of_a_mistake() {
    let mut cluster = Cluster::new();
    let good = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n";
    let text = format!(
        "{good}---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n  - name: C\n    image: c\n"
    );
    let applied = apply_manifest(&mut cluster.local.client(), &text, "default", false);
    let shown: Vec<String> = applied
        .iter()
        .map(|document| {
            let outcome = match &document.outcome {
                Outcome::Refused(status) => status.message.clone(),
                other => format!("{other:?}"),
            };
            format!("line {}: {} {}: {outcome}\n", document.line, document.kind, document.name)
        })
        .collect();
    expect![[r#"
        line 1: ConfigMap c: Created
        line 12: Pod p: Pod "p" is invalid: spec.containers[0].name: Invalid value: "C": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')
    "#]].assert_eq(&shown.concat());
}

/// Edits the Deployment `web` once for each of `changes`, in one editor session; shows what is printed and how the last
/// text begins that was opened.
fn edit(changes: &[(&str, &str)], expected: Expect) {
    let mut cluster = Cluster::new();
    let mut session = Session::new();
    cluster.line(&mut session, "kubectl create deployment web --image=nginx --replicas=2");
    let mut running = session.start("kubectl edit deploy web");
    let mut changes = changes.iter();
    let (mut shown, mut opened) = (String::new(), String::new());
    let code = loop {
        let progress = running.poll(&mut cluster.local.client());
        shown.extend(progress.output.iter().map(|piece| piece.text.as_str()));
        if let Some(code) = progress.exit {
            break code;
        }
        if let Some(edit) = progress.edit {
            opened =
                edit.text.lines().take_while(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
            running.edited(changes.next().map(|(from, to)| edit.text.replace(from, to)));
        }
    };
    expected.assert_eq(&format!("{opened}{shown}? {code}\n"));
}

#[test]
fn edits_are_patched() {
    edit(
        &[("replicas: 2", "replicas: 3")],
        expect![[r#"
            # Please edit the object below. Lines beginning with a '#' will be ignored,
            # and an empty file will abort the edit. If an error occurs while saving this file will be
            # reopened with the relevant failures.
            #
            deployment.apps/web edited
            ? 0
        "#]],
    );
}

#[test]
fn an_invalid_edit_is_opened_again() {
    edit(
        &[("replicas: 2", "replicas: -1"), ("replicas: -1", "replicas: 1")],
        expect![[r#"
            # Please edit the object below. Lines beginning with a '#' will be ignored,
            # and an empty file will abort the edit. If an error occurs while saving this file will be
            # reopened with the relevant failures.
            #
            # deployments.apps "web" was not valid:
            # * spec.replicas: Invalid value: -1: must be greater than or equal to 0
            #
            error: deployments.apps "web" is invalid
            deployment.apps/web edited
            ? 0
        "#]],
    );
}

#[test]
fn an_edit_can_be_given_up() {
    edit(
        &[("replicas: 2", "replicas: -1")],
        expect![[r#"
            # Please edit the object below. Lines beginning with a '#' will be ignored,
            # and an empty file will abort the edit. If an error occurs while saving this file will be
            # reopened with the relevant failures.
            #
            # deployments.apps "web" was not valid:
            # * spec.replicas: Invalid value: -1: must be greater than or equal to 0
            #
            error: deployments.apps "web" is invalid
            A copy of your changes has been stored to "/tmp/kubectl-edit-1892356520.yaml"
            error: Edit cancelled, no valid changes were saved.
            ? 1
        "#]],
    );
}
