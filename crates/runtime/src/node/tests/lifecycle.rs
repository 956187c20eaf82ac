use super::*;
use expect_test::expect;

fn busybox(command: &[&str]) -> ContainerConfig {
    ContainerConfig { image: "busybox".to_owned(), command: strings(command), ..ContainerConfig::default() }
}

fn describe(runtime: &Runtime, id: ContainerId) -> String {
    let status = runtime.container(id).expect("it was created");
    format!(
        "{:?} code={} reason={} started={:?} finished={:?} {}",
        status.state,
        status.exit_code,
        status.reason,
        status.started_at.map(|at| at / MILLISECOND),
        status.finished_at.map(|at| at / MILLISECOND),
        status.message
    )
}

#[test]
fn exits_and_signals() {
    let mut runtime = node();
    let done = start(&mut runtime, 0, busybox(&["true"])).expect("starts");
    let failed = start(&mut runtime, 0, busybox(&["sh", "-c", "exit 3"])).expect("starts");
    let stubborn = start(&mut runtime, 0, busybox(&["sleep", "3600"])).expect("starts");
    let trapping =
        start(&mut runtime, 0, busybox(&["sh", "-c", "trap 'echo bye; exit 0' TERM; while :; do sleep 1; done"]))
            .expect("starts");
    advance_to(&mut runtime, 10 * SECOND);
    for id in [stubborn, trapping] {
        runtime.stop_container(10 * SECOND, id, 30 * SECOND).expect("exists");
    }
    advance_to(&mut runtime, 100 * SECOND);
    let all: Vec<String> = [done, failed, stubborn, trapping].iter().map(|id| describe(&runtime, *id)).collect();
    expect![[r#"
        Exited code=0 reason=Completed started=Some(14) finished=Some(14) 
        Exited code=3 reason=Error started=Some(14) finished=Some(14) 
        Exited code=137 reason=Error started=Some(14) finished=Some(40000) 
        Exited code=0 reason=Completed started=Some(14) finished=Some(10020) "#]]
    .assert_eq(&all.join("\n"));
    assert_eq!(log_text(&runtime, trapping), "bye\n");
    assert_eq!(runtime.take_events().len(), 4);
    assert_eq!(runtime.poll_timeout(), None);
}

#[test]
fn missing_programs() {
    let mut runtime = node();
    let mut errors = Vec::new();
    for command in [&["foo"][..], &["/bin/foo"], &["sh", "-c", "foo"]] {
        match start(&mut runtime, 0, busybox(command)) {
            Ok(id) => {
                advance_to(&mut runtime, SECOND);
                errors.push(format!("{} {}", describe(&runtime, id), log_text(&runtime, id)));
            }
            Err(error) => errors.push(error.to_string()),
        }
    }
    expect![[r#"
        failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "foo": executable file not found in $PATH
        failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "/bin/foo": stat /bin/foo: no such file or directory
        Exited code=127 reason=Error started=Some(14) finished=Some(14)  sh: foo: not found
    "#]].assert_eq(&errors.join("\n"));
}

#[test]
fn out_of_memory() {
    let mut runtime = node();
    let config = ContainerConfig {
        image: "polinux/stress".to_owned(),
        command: strings(&["stress"]),
        args: strings(&["--vm", "1", "--vm-bytes", "250M", "--vm-hang", "1"]),
        memory_limit_bytes: Some(100 << 20),
        ..ContainerConfig::default()
    };
    let id = start(&mut runtime, 0, config).expect("starts");
    advance_to(&mut runtime, 5 * SECOND);
    expect!["Exited code=137 reason=OOMKilled started=Some(25) finished=Some(325) "].assert_eq(&describe(&runtime, id));
}

#[test]
fn exec_and_volumes() {
    let mut runtime = node();
    let volume = VolumeId::new("pod/cache");
    runtime.volumes_mut().create(&volume, Some(1000));
    let settings = VolumeId::new("pod/settings");
    runtime.volumes_mut().create(&settings, None);
    let files = [("color".to_owned(), b"blue\n".to_vec(), 0o644)];
    runtime.volumes_mut().project(&settings, &files, 1, 0).expect("exists");
    let mount = |volume: &VolumeId, path: &str, sub_path: &str, read_only| Mount {
        path: path.to_owned(),
        volume: volume.clone(),
        sub_path: sub_path.to_owned(),
        read_only,
    };
    let config = ContainerConfig {
        image: "nginx".to_owned(),
        mounts: vec![
            mount(&volume, "/cache", "", false),
            mount(&settings, "/etc/settings", "", true),
            mount(&settings, "/etc/one", "color", true),
        ],
        ..ContainerConfig::default()
    };
    let id = start(&mut runtime, 0, config).expect("starts");
    let run = |runtime: &mut Runtime, script: &str| {
        let request = ExecRequest { command: strings(&["sh", "-c", script]), ..ExecRequest::default() };
        match runtime.exec(SECOND, id, request) {
            Ok(exec) => {
                let result = runtime.exec_result(exec).expect("it was started").clone();
                format!("$ {script}\n{}{}[{:?}]\n", result.stdout, result.stderr, result.exit_code)
            }
            Err(error) => error.to_string(),
        }
    };
    let mut text = String::new();
    for script in [
        "echo hi > /cache/f; cat /cache/f /etc/settings/color /etc/one; ls -a /etc/settings",
        "echo no > /etc/settings/x; dd if=/dev/zero of=/cache/big bs=1000 count=2",
        "cat /etc/resolv.conf /etc/hosts; ps; ls / | head -n 4; which nginx curl; foo",
        "nginx -t; curl -s localhost | grep title; curl -s -o /dev/null -w '%{http_code}' localhost/nope",
    ] {
        text.push_str(&run(&mut runtime, script));
    }
    let files = [("color".to_owned(), b"green\n".to_vec(), 0o644)];
    runtime.volumes_mut().project(&settings, &files, 2, 0).expect("exists");
    text.push_str(&run(&mut runtime, "cat /etc/settings/color /etc/one"));
    let missing = ExecRequest { command: strings(&["nope"]), ..ExecRequest::default() };
    text.push_str(&runtime.exec(SECOND, id, missing).expect_err("no such program").to_string());
    expect![[r#"
        $ echo hi > /cache/f; cat /cache/f /etc/settings/color /etc/one; ls -a /etc/settings
        hi
        blue
        blue
        .
        ..
        ..00000000000000000001
        ..data
        color
        [Some(0)]
        $ echo no > /etc/settings/x; dd if=/dev/zero of=/cache/big bs=1000 count=2
        sh: can't create /etc/settings/x: Read-only file system
        dd: error writing '/cache/big': No space left on device
        [Some(1)]
        $ cat /etc/resolv.conf /etc/hosts; ps; ls / | head -n 4; which nginx curl; foo
        search default.svc.cluster.local
        nameserver 10.96.0.10
        options ndots:5
        # Kubernetes-managed hosts file.
        127.0.0.1	localhost
        10.244.1.5	web
        bin
        cache
        dev
        docker-entrypoint.sh
        /usr/sbin/nginx
        /usr/bin/curl
        sh: 1: ps: not found
        sh: 1: foo: not found
        [Some(127)]
        $ nginx -t; curl -s localhost | grep title; curl -s -o /dev/null -w '%{http_code}' localhost/nope
        <title>Welcome to nginx!</title>
        404nginx: the configuration file /etc/nginx/nginx.conf syntax is ok
        nginx: configuration file /etc/nginx/nginx.conf test is successful
        [Some(0)]
        $ cat /etc/settings/color /etc/one
        green
        blue
        [Some(0)]
        OCI runtime exec failed: exec failed: unable to start container process: exec: "nope": executable file not found in $PATH"#]].assert_eq(&text);
}

#[test]
fn exec_times_out() {
    let mut runtime = node();
    let id = start(&mut runtime, 0, busybox(&["sleep", "3600"])).expect("starts");
    let request =
        ExecRequest { command: strings(&["sleep", "10"]), timeout_ns: Some(SECOND), ..ExecRequest::default() };
    let exec = runtime.exec(0, id, request).expect("starts");
    advance_to(&mut runtime, 3 * SECOND);
    let events = runtime.take_events();
    expect![[r#"Some(ExecResult { stdout: "", stderr: "", exit_code: Some(137), timed_out: true, finished_at: Some(1000000000) }) [ExecFinished { id: ExecId(17027085370592858547), at: 1000000000 }]"#]].assert_eq(&format!("{:?} {events:?}", runtime.exec_result(exec)));
}

#[test]
fn interactive_session() {
    let mut runtime = node();
    let id = start(&mut runtime, 0, busybox(&["sleep", "3600"])).expect("starts");
    let request = ExecRequest { command: strings(&["sh"]), interactive: true, ..ExecRequest::default() };
    let exec = runtime.exec(0, id, request).expect("starts");
    let mut screen = runtime.take_exec_output(exec).0;
    for line in ["cd /tmp\n", "x=5\n", "if true\n", "then echo $x; fi\n", "nope\n", "exit 4\n"] {
        screen.push_str(line);
        runtime.feed_exec(SECOND, exec, Some(line));
        let (out, err) = runtime.take_exec_output(exec);
        screen.push_str(&(err + &out));
    }
    expect![[r#"
        / # cd /tmp
        /tmp # x=5
        /tmp # if true
        > then echo $x; fi
        5
        /tmp # nope
        sh: nope: not found
        /tmp # exit 4
        Some(4)"#]]
    .assert_eq(&format!("{screen}{:?}", runtime.exec_result(exec).and_then(|r| r.exit_code)));
}

#[test]
fn a_clone_goes_its_own_way() {
    let mut runtime = node();
    let id = start(&mut runtime, 0, busybox(&["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; sleep 1; done"]))
        .expect("starts");
    advance_to(&mut runtime, 2 * SECOND);
    let mut copy = runtime.clone();
    advance_to(&mut copy, 4 * SECOND);
    assert_eq!(log_text(&runtime, id).lines().count() + 2, log_text(&copy, id).lines().count());
    advance_to(&mut runtime, 4 * SECOND);
    assert_eq!(log_text(&runtime, id), log_text(&copy, id));
}

#[test]
fn pulls() {
    let mut runtime = Runtime::new(NodeConfig::default(), 1);
    let mut text = String::new();
    for image in
        ["nginx", "nginx:1.27", "nginx:1.161", "Bad", "someone/private-app", "someone/app:v1", "nosuchofficial"]
    {
        let pull = runtime.pull_image(0, image);
        let outcome = match &pull.outcome {
            Ok(id) => id[..14].to_owned(),
            Err(error) => error.to_string(),
        };
        text.push_str(&format!(
            "{image}: {} ms {} kB {outcome}\n",
            pull.finished_at / MILLISECOND,
            pull.size_bytes / 1000
        ));
    }
    runtime.set_registry_fault(Some(RegistryFault::Unreachable));
    text.push_str(&format!("{}\n", runtime.pull_image(0, "redis:7").outcome.expect_err("unreachable")));
    expect![[r#"
        nginx: 2661 ms 69840 kB sha256:bfb35c4
        nginx:1.27: 1760 ms 72000 kB sha256:5c42b62
        nginx:1.161: 400 ms 0 kB rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found
        Bad: 0 ms 0 kB couldn't parse image name "Bad": invalid reference format: repository name must be lowercase
        someone/private-app: 400 ms 0 kB rpc error: code = Unknown desc = failed to pull and unpack image "docker.io/someone/private-app:latest": failed to resolve reference "docker.io/someone/private-app:latest": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed
        someone/app:v1: 1648 ms 31840 kB sha256:5b4fba0
        nosuchofficial: 400 ms 0 kB rpc error: code = Unknown desc = failed to pull and unpack image "docker.io/library/nosuchofficial:latest": failed to resolve reference "docker.io/library/nosuchofficial:latest": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed
        rpc error: code = DeadlineExceeded desc = failed to pull and unpack image "docker.io/library/redis:7": failed to resolve reference "docker.io/library/redis:7": failed to do request: Head "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: i/o timeout
    "#]].assert_eq(&text);
    assert!(runtime.image_status(SECOND, "nginx:latest").is_none());
    assert!(runtime.image_status(60 * SECOND, "docker.io/library/nginx").is_some());
}
