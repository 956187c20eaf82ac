//! Pods that do not start, or do not stay up.

use expect_test::expect;

use crate::scene::Scene;

#[test]
fn an_image_that_does_not_exist() {
    let mut scene = Scene::new();
    scene.pod("image: nginx:1.161");
    scene.run(60);
    expect![[r#"
        +0.000   web = Pending
        +0.000   web = Pending [web ContainerCreating]
        +0.550   Pulling spec.containers{web}: Pulling image "nginx:1.161"
        +0.550   web = Pending sandbox [web ContainerCreating]
        +0.950 ! Failed spec.containers{web}: Failed to pull image "nginx:1.161": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found
        +0.950 ! Failed spec.containers{web}: Error: ErrImagePull
        +1.742   BackOff spec.containers{web}: Back-off pulling image "nginx:1.161"
        +1.742 ! Failed spec.containers{web}: Error: ImagePullBackOff
        +1.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found)]
        +16.742   Pulling (x2) spec.containers{web}: Pulling image "nginx:1.161"
        +16.742   web = Pending sandbox [web ImagePullBackOff (Back-off pulling image "nginx:1.161": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found)]
        +17.142 ! Failed (x2) spec.containers{web}: Failed to pull image "nginx:1.161": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found
        +17.142 ! Failed (x2) spec.containers{web}: Error: ErrImagePull
        +30.742   BackOff (x2) spec.containers{web}: Back-off pulling image "nginx:1.161"
        +30.742 ! Failed (x2) spec.containers{web}: Error: ImagePullBackOff
        +30.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found)]
        +41.742   Pulling (x3) spec.containers{web}: Pulling image "nginx:1.161"
        +41.742   web = Pending sandbox [web ImagePullBackOff (Back-off pulling image "nginx:1.161": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found)]
        +42.142 ! Failed (x3) spec.containers{web}: Failed to pull image "nginx:1.161": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found
        +42.142 ! Failed (x3) spec.containers{web}: Error: ErrImagePull
        +52.742   BackOff (x3) spec.containers{web}: Back-off pulling image "nginx:1.161"
        +52.742 ! Failed (x3) spec.containers{web}: Error: ImagePullBackOff
        +52.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found)]
    "#]].assert_eq(&scene.diary());
    expect![[r#"
        error: container "web" in pod "web" is waiting to start: trying and failing to pull image
    "#]]
    .assert_eq(&scene.logs("web", false));
}

#[test]
fn images_that_are_never_pulled_and_names_that_are_none() {
    let mut scene = Scene::new();
    scene.pod("image: nginx:1.27\nimagePullPolicy: Never");
    scene.run(5);
    expect![[r#"
        +0.000   web = Pending
        +0.000   web = Pending [web ContainerCreating]
        +0.550 ! ErrImageNeverPull spec.containers{web}: Container image "nginx:1.27" is not present with pull policy of Never
        +0.550 ! Failed spec.containers{web}: Error: ErrImageNeverPull
        +0.742 ! ErrImageNeverPull (x2) spec.containers{web}: Container image "nginx:1.27" is not present with pull policy of Never
        +0.742 ! Failed (x2) spec.containers{web}: Error: ErrImageNeverPull
        +0.742   web = Pending sandbox [web ErrImageNeverPull (Container image "nginx:1.27" is not present with pull policy of Never)]
    "#]].assert_eq(&scene.diary());
    let mut scene = Scene::new();
    scene.pod("image: NGINX");
    scene.run(5);
    expect![[r#"
        +0.000   web = Pending
        +0.000   web = Pending [web ContainerCreating]
        +0.550 ! InspectFailed spec.containers{web}: Failed to apply default image tag "NGINX": couldn't parse image name "NGINX": invalid reference format: repository name must be lowercase
        +0.550 ! Failed spec.containers{web}: Error: InvalidImageName
        +0.742 ! InspectFailed (x2) spec.containers{web}: Failed to apply default image tag "NGINX": couldn't parse image name "NGINX": invalid reference format: repository name must be lowercase
        +0.742 ! Failed (x2) spec.containers{web}: Error: InvalidImageName
        +0.742   web = Pending sandbox [web InvalidImageName (Failed to apply default image tag "NGINX": couldn't parse image name "NGINX": invalid reference format: repository name must be lowercase)]
    "#]].assert_eq(&scene.diary());
}

#[test]
fn a_crash_loop() {
    let mut scene = Scene::new();
    scene.pod("image: busybox:1.36\ncommand: [sh, -c, 'echo about to fail; sleep 3; exit 1']");
    scene.run(150);
    expect![[r#"
        +0.000   web = Pending
        +0.000   web = Pending [web ContainerCreating]
        +0.550   Pulling spec.containers{web}: Pulling image "busybox:1.36"
        +0.550   web = Pending sandbox [web ContainerCreating]
        +1.407   Pulled spec.containers{web}: Successfully pulled image "busybox:1.36" in 857ms (857ms including waiting). Image size: 2156000 bytes.
        +1.437   Created spec.containers{web}: Container created
        +1.487   Started spec.containers{web}: Container started
        +1.742   web = Running sandbox ready [web running ready]
        +4.742   Pulled spec.containers{web}: Container image "busybox:1.36" already present on machine and can be accessed by the pod
        +4.742   web = Running sandbox [web Error:1]
        +4.772   Created (x2) spec.containers{web}: Container created
        +4.822   Started (x2) spec.containers{web}: Container started
        +5.742   web = Running sandbox ready [web running ready restarts=1 last=Error:1]
        +8.742 ! BackOff spec.containers{web}: Back-off restarting failed container web in pod web_default(UID)
        +8.742   web = Running sandbox [web Error:1 restarts=1 last=Error:1]
        +8.742   web = Running sandbox [web CrashLoopBackOff (back-off 10s restarting failed container=web pod=web_default(UID)) restarts=1 last=Error:1]
        +22.742   Pulled (x2) spec.containers{web}: Container image "busybox:1.36" already present on machine and can be accessed by the pod
        +22.772   Created (x3) spec.containers{web}: Container created
        +22.822   Started (x3) spec.containers{web}: Container started
        +23.742   web = Running sandbox ready [web running ready restarts=2 last=Error:1]
        +26.742 ! BackOff (x2) spec.containers{web}: Back-off restarting failed container web in pod web_default(UID)
        +26.742   web = Running sandbox [web Error:1 restarts=2 last=Error:1]
        +26.742   web = Running sandbox [web CrashLoopBackOff (back-off 20s restarting failed container=web pod=web_default(UID)) restarts=2 last=Error:1]
        +49.742   Pulled (x3) spec.containers{web}: Container image "busybox:1.36" already present on machine and can be accessed by the pod
        +49.772   Created (x4) spec.containers{web}: Container created
        +49.822   Started (x4) spec.containers{web}: Container started
        +50.742   web = Running sandbox ready [web running ready restarts=3 last=Error:1]
        +53.742 ! BackOff (x3) spec.containers{web}: Back-off restarting failed container web in pod web_default(UID)
        +53.742   web = Running sandbox [web Error:1 restarts=3 last=Error:1]
        +53.742   web = Running sandbox [web CrashLoopBackOff (back-off 40s restarting failed container=web pod=web_default(UID)) restarts=3 last=Error:1]
        +98.742   Pulled (x4) spec.containers{web}: Container image "busybox:1.36" already present on machine and can be accessed by the pod
        +98.772   Created (x5) spec.containers{web}: Container created
        +98.822   Started (x5) spec.containers{web}: Container started
        +99.742   web = Running sandbox ready [web running ready restarts=4 last=Error:1]
        +102.742 ! BackOff (x4) spec.containers{web}: Back-off restarting failed container web in pod web_default(UID)
        +102.742   web = Running sandbox [web Error:1 restarts=4 last=Error:1]
        +102.742   web = Running sandbox [web CrashLoopBackOff (back-off 1m20s restarting failed container=web pod=web_default(UID)) restarts=4 last=Error:1]
    "#]].assert_eq(&scene.diary());
    expect![[r#"
        about to fail
    "#]]
    .assert_eq(&scene.logs("web", true));
}

#[test]
fn a_config_map_that_comes_late() {
    let mut scene = Scene::new();
    scene.pod("image: busybox:1.36\ncommand: [sleep, '1000']\nenv: [{ name: A, valueFrom: { configMapKeyRef: { name: cfg, key: a } } }]");
    scene.run(8);
    scene.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: { name: cfg, namespace: default }\ndata: { b: two }");
    scene.run(15);
    expect![[r#"
        +0.000   web = Pending
        +0.000   web = Pending [web ContainerCreating]
        +0.550   Pulling spec.containers{web}: Pulling image "busybox:1.36"
        +0.550   web = Pending sandbox [web ContainerCreating]
        +1.407   Pulled spec.containers{web}: Successfully pulled image "busybox:1.36" in 857ms (857ms including waiting). Image size: 2156000 bytes.
        +1.437 ! Failed spec.containers{web}: Error: configmap "cfg" not found
        +1.742   Pulled spec.containers{web}: Container image "busybox:1.36" already present on machine and can be accessed by the pod
        +1.742   web = Pending sandbox [web CreateContainerConfigError (configmap "cfg" not found)]
        +1.772 ! Failed (x2) spec.containers{web}: Error: configmap "cfg" not found
        +16.742   Pulled (x2) spec.containers{web}: Container image "busybox:1.36" already present on machine and can be accessed by the pod
        +16.772 ! Failed spec.containers{web}: Error: couldn't find key a in ConfigMap default/cfg
    "#]].assert_eq(&scene.diary());
}

#[test]
fn a_job_that_fails_once_and_one_that_ends_well() {
    let mut scene = Scene::new();
    scene.pod_with(
        "restartPolicy: OnFailure\nvolumes: [{ name: tmp, emptyDir: {} }]",
        "image: busybox:1.36\ncommand: [sh, -c, 'test -e /tmp/x || { touch /tmp/x; exit 3; }']\nvolumeMounts: [{ name: tmp, mountPath: /tmp }]",
    );
    scene.run(30);
    expect![[r#"
        +0.000   web = Pending
        +0.000   web = Pending [web ContainerCreating]
        +0.550   Pulling spec.containers{web}: Pulling image "busybox:1.36"
        +0.550   web = Pending sandbox [web ContainerCreating]
        +1.407   Pulled spec.containers{web}: Successfully pulled image "busybox:1.36" in 857ms (857ms including waiting). Image size: 2156000 bytes.
        +1.437   Created spec.containers{web}: Container created
        +1.487   Started spec.containers{web}: Container started
        +1.742   Pulled spec.containers{web}: Container image "busybox:1.36" already present on machine and can be accessed by the pod
        +1.742   web = Running sandbox [web Error:3]
        +1.772   Created (x2) spec.containers{web}: Container created
        +1.822   Started (x2) spec.containers{web}: Container started
        +2.802   web = Succeeded [web Completed:0 restarts=1 last=Error:3]
    "#]].assert_eq(&scene.diary());
}

#[test]
fn out_of_memory() {
    let mut scene = Scene::new();
    scene.apply(
        "
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: default, annotations: { sim.tabernetes.dev/memory: 200Mi } }
spec:
  nodeName: node-1
  restartPolicy: Never
  containers: [{ name: web, image: 'nginx:1.27', resources: { limits: { memory: 100Mi } } }]
",
    );
    scene.run(60);
    expect![[r#"
        +0.000   web = Pending
        +0.000   web = Pending [web ContainerCreating]
        +0.550   Pulling spec.containers{web}: Pulling image "nginx:1.27"
        +0.550   web = Pending sandbox [web ContainerCreating]
        +3.270   Pulled spec.containers{web}: Successfully pulled image "nginx:1.27" in 2.72s (2.72s including waiting). Image size: 72000000 bytes.
        +3.300   Created spec.containers{web}: Container created
        +3.350   Started spec.containers{web}: Container started
        +3.802   web = Failed [web OOMKilled:137]
    "#]].assert_eq(&scene.diary());
}

#[test]
fn a_command_that_does_not_exist() {
    let mut scene = Scene::new();
    scene.pod("image: busybox:1.36\ncommand: [no-such-thing]");
    scene.run(4);
    expect![[r#"
        +0.000   web = Pending
        +0.000   web = Pending [web ContainerCreating]
        +0.550   Pulling spec.containers{web}: Pulling image "busybox:1.36"
        +0.550   web = Pending sandbox [web ContainerCreating]
        +1.407   Pulled spec.containers{web}: Successfully pulled image "busybox:1.36" in 857ms (857ms including waiting). Image size: 2156000 bytes.
        +1.437   Created spec.containers{web}: Container created
        +1.487 ! Failed spec.containers{web}: Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "no-such-thing": executable file not found in $PATH
        +1.742   Pulled spec.containers{web}: Container image "busybox:1.36" already present on machine and can be accessed by the pod
        +1.742   web = Running sandbox [web RunContainerError (failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "no-such-thing": executable file not found in $PATH) last=StartError:128 (failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "no-such-thing": executable file not found in $PATH)]
        +1.772   Created (x2) spec.containers{web}: Container created
        +1.822 ! Failed (x2) spec.containers{web}: Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "no-such-thing": executable file not found in $PATH
        +2.742 ! BackOff spec.containers{web}: Back-off restarting failed container web in pod web_default(UID)
        +2.742   web = Running sandbox [web RunContainerError (failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "no-such-thing": executable file not found in $PATH) restarts=1 last=StartError:128 (failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "no-such-thing": executable file not found in $PATH)]
        +2.742   web = Running sandbox [web CrashLoopBackOff (back-off 10s restarting failed container=web pod=web_default(UID)) restarts=1 last=StartError:128 (failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "no-such-thing": executable file not found in $PATH)]
    "#]].assert_eq(&scene.diary());
}

#[test]
fn a_node_that_is_full() {
    let mut scene = Scene::new();
    scene.pod("image: busybox:1.36\nresources: { requests: { cpu: 5 } }");
    scene.run(5);
    expect![[r#"
        +0.000 ! OutOfcpu: Node didn't have enough resource: cpu, requested: 5000, used: 0, capacity: 4000
        +0.000   web = Pending
        +0.000   web = Failed OutOfcpu: Pod was rejected: Node didn't have enough resource: cpu, requested: 5000, used: 0, capacity: 4000
    "#]].assert_eq(&scene.diary());
}
