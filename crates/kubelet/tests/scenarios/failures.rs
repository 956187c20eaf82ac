//! Pods that do not start, or do not stay up.

use expect_test::expect;

use crate::scene::Scene;

#[test]
fn an_image_that_does_not_exist() {
    let mut scene = Scene::new();
    scene.pod("image: nginx:1.161");
    scene.run(60);
    expect![[r#"
          0.000   web = Pending
          0.000   web = Pending [web ContainerCreating]
          0.550   Pulling spec.containers{web}: Pulling image "nginx:1.161"
          0.550   web = Pending sandbox [web ContainerCreating]
          0.950 ! Failed spec.containers{web}: Failed to pull image "nginx:1.161": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found
          0.950 ! Failed spec.containers{web}: Error: ErrImagePull
          1.742   BackOff spec.containers{web}: Back-off pulling image "nginx:1.161"
          1.742 ! Failed spec.containers{web}: Error: ImagePullBackOff
          1.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found)]
         15.742   Pulling (x2) spec.containers{web}: Pulling image "nginx:1.161"
         15.742   web = Pending sandbox [web ImagePullBackOff (Back-off pulling image "nginx:1.161": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found)]
         16.142 ! Failed (x2) spec.containers{web}: Failed to pull image "nginx:1.161": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found
         16.142 ! Failed (x2) spec.containers{web}: Error: ErrImagePull
         30.742   BackOff (x2) spec.containers{web}: Back-off pulling image "nginx:1.161"
         30.742 ! Failed (x2) spec.containers{web}: Error: ImagePullBackOff
         30.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found)]
         41.742   Pulling (x3) spec.containers{web}: Pulling image "nginx:1.161"
         41.742   web = Pending sandbox [web ImagePullBackOff (Back-off pulling image "nginx:1.161": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found)]
         42.142 ! Failed (x3) spec.containers{web}: Failed to pull image "nginx:1.161": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found
         42.142 ! Failed (x3) spec.containers{web}: Error: ErrImagePull
         55.742   BackOff (x3) spec.containers{web}: Back-off pulling image "nginx:1.161"
         55.742 ! Failed (x3) spec.containers{web}: Error: ImagePullBackOff
         55.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found)]
    "#]].assert_eq(&scene.diary());
    expect![[r#"
        error: container "web" in pod "web" is waiting to start: trying and failing to pull image
    "#]].assert_eq(&scene.logs("web", false));
}

#[test]
fn images_that_are_never_pulled_and_names_that_are_none() {
    let mut scene = Scene::new();
    scene.pod("image: nginx:1.27\nimagePullPolicy: Never");
    scene.run(5);
    expect![[r#"
          0.000   web = Pending
          0.000   web = Pending [web ContainerCreating]
          0.550 ! ErrImageNeverPull spec.containers{web}: Container image "nginx:1.27" is not present with pull policy of Never
          0.550 ! Failed spec.containers{web}: Error: ErrImageNeverPull
          0.742 ! ErrImageNeverPull (x2) spec.containers{web}: Container image "nginx:1.27" is not present with pull policy of Never
          0.742 ! Failed (x2) spec.containers{web}: Error: ErrImageNeverPull
          0.742   web = Pending sandbox [web ErrImageNeverPull (Container image "nginx:1.27" is not present with pull policy of Never)]
    "#]].assert_eq(&scene.diary());
    let mut scene = Scene::new();
    scene.pod("image: NGINX");
    scene.run(5);
    expect![[r#"
          0.000   web = Pending
          0.000   web = Pending [web ContainerCreating]
          0.550 ! InspectFailed spec.containers{web}: Failed to apply default image tag "NGINX": couldn't parse image name "NGINX": invalid reference format: repository name must be lowercase
          0.550 ! Failed spec.containers{web}: Error: InvalidImageName
          0.742 ! InspectFailed (x2) spec.containers{web}: Failed to apply default image tag "NGINX": couldn't parse image name "NGINX": invalid reference format: repository name must be lowercase
          0.742 ! Failed (x2) spec.containers{web}: Error: InvalidImageName
          0.742   web = Pending sandbox [web InvalidImageName (Failed to apply default image tag "NGINX": couldn't parse image name "NGINX": invalid reference format: repository name must be lowercase)]
    "#]].assert_eq(&scene.diary());
}

#[test]
fn a_crash_loop() {
    let mut scene = Scene::new();
    scene.pod("image: busybox:1.36\ncommand: [sh, -c, 'echo about to fail; sleep 3; exit 1']");
    scene.run(150);
    expect![[r#"
          0.000   web = Pending
          0.000   web = Pending [web ContainerCreating]
          0.550   Pulling spec.containers{web}: Pulling image "busybox:1.36"
          0.550   web = Pending sandbox [web ContainerCreating]
          0.950 ! Failed spec.containers{web}: Failed to pull image "busybox:1.36": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found
          0.950 ! Failed spec.containers{web}: Error: ErrImagePull
          1.742   BackOff spec.containers{web}: Back-off pulling image "busybox:1.36"
          1.742 ! Failed spec.containers{web}: Error: ImagePullBackOff
          1.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
         15.742   Pulling (x2) spec.containers{web}: Pulling image "busybox:1.36"
         15.742   web = Pending sandbox [web ImagePullBackOff (Back-off pulling image "busybox:1.36": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
         16.142 ! Failed (x2) spec.containers{web}: Failed to pull image "busybox:1.36": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found
         16.142 ! Failed (x2) spec.containers{web}: Error: ErrImagePull
         30.742   BackOff (x2) spec.containers{web}: Back-off pulling image "busybox:1.36"
         30.742 ! Failed (x2) spec.containers{web}: Error: ImagePullBackOff
         30.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
         41.742   Pulling (x3) spec.containers{web}: Pulling image "busybox:1.36"
         41.742   web = Pending sandbox [web ImagePullBackOff (Back-off pulling image "busybox:1.36": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
         42.142 ! Failed (x3) spec.containers{web}: Failed to pull image "busybox:1.36": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found
         42.142 ! Failed (x3) spec.containers{web}: Error: ErrImagePull
         55.742   BackOff (x3) spec.containers{web}: Back-off pulling image "busybox:1.36"
         55.742 ! Failed (x3) spec.containers{web}: Error: ImagePullBackOff
         55.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
         69.742   BackOff (x4) spec.containers{web}: Back-off pulling image "busybox:1.36"
         69.742 ! Failed (x4) spec.containers{web}: Error: ImagePullBackOff
         69.742   web = Pending sandbox [web ImagePullBackOff (Back-off pulling image "busybox:1.36": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
         80.742   BackOff (x5) spec.containers{web}: Back-off pulling image "busybox:1.36"
         80.742 ! Failed (x5) spec.containers{web}: Error: ImagePullBackOff
         94.742   Pulling (x4) spec.containers{web}: Pulling image "busybox:1.36"
         95.142 ! Failed (x4) spec.containers{web}: Failed to pull image "busybox:1.36": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found
         95.142 ! Failed (x4) spec.containers{web}: Error: ErrImagePull
        107.742   BackOff (x6) spec.containers{web}: Back-off pulling image "busybox:1.36"
        107.742 ! Failed (x6) spec.containers{web}: Error: ImagePullBackOff
        107.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
        118.742   BackOff (x7) spec.containers{web}: Back-off pulling image "busybox:1.36"
        118.742   web = Pending sandbox [web ImagePullBackOff (Back-off pulling image "busybox:1.36": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
    "#]].assert_eq(&scene.diary());
    expect![[r#"
        error: previous terminated container "web" in pod "web" not found
    "#]].assert_eq(&scene.logs("web", true));
}

#[test]
fn a_config_map_that_comes_late() {
    let mut scene = Scene::new();
    scene.pod("image: busybox:1.36\ncommand: [sleep, '1000']\nenv: [{ name: A, valueFrom: { configMapKeyRef: { name: cfg, key: a } } }]");
    scene.run(8);
    scene.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: { name: cfg, namespace: default }\ndata: { b: two }");
    scene.run(15);
    expect![[r#"
          0.000   web = Pending
          0.000   web = Pending [web ContainerCreating]
          0.550   Pulling spec.containers{web}: Pulling image "busybox:1.36"
          0.550   web = Pending sandbox [web ContainerCreating]
          0.950 ! Failed spec.containers{web}: Failed to pull image "busybox:1.36": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found
          0.950 ! Failed spec.containers{web}: Error: ErrImagePull
          1.742   BackOff spec.containers{web}: Back-off pulling image "busybox:1.36"
          1.742 ! Failed spec.containers{web}: Error: ImagePullBackOff
          1.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
         15.742   Pulling (x2) spec.containers{web}: Pulling image "busybox:1.36"
         15.742   web = Pending sandbox [web ImagePullBackOff (Back-off pulling image "busybox:1.36": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
         16.142 ! Failed (x2) spec.containers{web}: Failed to pull image "busybox:1.36": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found
         16.142 ! Failed (x2) spec.containers{web}: Error: ErrImagePull
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
          0.000   web = Pending
          0.000   web = Pending [web ContainerCreating]
          0.550   Pulling spec.containers{web}: Pulling image "busybox:1.36"
          0.550   web = Pending sandbox [web ContainerCreating]
          0.950 ! Failed spec.containers{web}: Failed to pull image "busybox:1.36": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found
          0.950 ! Failed spec.containers{web}: Error: ErrImagePull
          1.742   BackOff spec.containers{web}: Back-off pulling image "busybox:1.36"
          1.742 ! Failed spec.containers{web}: Error: ImagePullBackOff
          1.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
         15.742   Pulling (x2) spec.containers{web}: Pulling image "busybox:1.36"
         15.742   web = Pending sandbox [web ImagePullBackOff (Back-off pulling image "busybox:1.36": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
         16.142 ! Failed (x2) spec.containers{web}: Failed to pull image "busybox:1.36": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found
         16.142 ! Failed (x2) spec.containers{web}: Error: ErrImagePull
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
          0.000   web = Pending
          0.000   web = Pending [web ContainerCreating]
          0.550   Pulling spec.containers{web}: Pulling image "nginx:1.27"
          0.550   web = Pending sandbox [web ContainerCreating]
          0.950 ! Failed spec.containers{web}: Failed to pull image "nginx:1.27": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.27": failed to resolve reference "docker.io/library/nginx:1.27": docker.io/library/nginx:1.27: not found
          0.950 ! Failed spec.containers{web}: Error: ErrImagePull
          1.742   BackOff spec.containers{web}: Back-off pulling image "nginx:1.27"
          1.742 ! Failed spec.containers{web}: Error: ImagePullBackOff
          1.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.27": failed to resolve reference "docker.io/library/nginx:1.27": docker.io/library/nginx:1.27: not found)]
         15.742   Pulling (x2) spec.containers{web}: Pulling image "nginx:1.27"
         15.742   web = Pending sandbox [web ImagePullBackOff (Back-off pulling image "nginx:1.27": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.27": failed to resolve reference "docker.io/library/nginx:1.27": docker.io/library/nginx:1.27: not found)]
         16.142 ! Failed (x2) spec.containers{web}: Failed to pull image "nginx:1.27": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.27": failed to resolve reference "docker.io/library/nginx:1.27": docker.io/library/nginx:1.27: not found
         16.142 ! Failed (x2) spec.containers{web}: Error: ErrImagePull
         30.742   BackOff (x2) spec.containers{web}: Back-off pulling image "nginx:1.27"
         30.742 ! Failed (x2) spec.containers{web}: Error: ImagePullBackOff
         30.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.27": failed to resolve reference "docker.io/library/nginx:1.27": docker.io/library/nginx:1.27: not found)]
         41.742   Pulling (x3) spec.containers{web}: Pulling image "nginx:1.27"
         41.742   web = Pending sandbox [web ImagePullBackOff (Back-off pulling image "nginx:1.27": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.27": failed to resolve reference "docker.io/library/nginx:1.27": docker.io/library/nginx:1.27: not found)]
         42.142 ! Failed (x3) spec.containers{web}: Failed to pull image "nginx:1.27": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.27": failed to resolve reference "docker.io/library/nginx:1.27": docker.io/library/nginx:1.27: not found
         42.142 ! Failed (x3) spec.containers{web}: Error: ErrImagePull
         55.742   BackOff (x3) spec.containers{web}: Back-off pulling image "nginx:1.27"
         55.742 ! Failed (x3) spec.containers{web}: Error: ImagePullBackOff
         55.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.27": failed to resolve reference "docker.io/library/nginx:1.27": docker.io/library/nginx:1.27: not found)]
    "#]].assert_eq(&scene.diary());
}

#[test]
fn a_command_that_does_not_exist() {
    let mut scene = Scene::new();
    scene.pod("image: busybox:1.36\ncommand: [no-such-thing]");
    scene.run(4);
    expect![[r#"
          0.000   web = Pending
          0.000   web = Pending [web ContainerCreating]
          0.550   Pulling spec.containers{web}: Pulling image "busybox:1.36"
          0.550   web = Pending sandbox [web ContainerCreating]
          0.950 ! Failed spec.containers{web}: Failed to pull image "busybox:1.36": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found
          0.950 ! Failed spec.containers{web}: Error: ErrImagePull
          1.742   BackOff spec.containers{web}: Back-off pulling image "busybox:1.36"
          1.742 ! Failed spec.containers{web}: Error: ImagePullBackOff
          1.742   web = Pending sandbox [web ErrImagePull (rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/busybox:1.36": failed to resolve reference "docker.io/library/busybox:1.36": docker.io/library/busybox:1.36: not found)]
    "#]].assert_eq(&scene.diary());
}

#[test]
fn a_node_that_is_full() {
    let mut scene = Scene::new();
    scene.pod("image: busybox:1.36\nresources: { requests: { cpu: 5 } }");
    scene.run(5);
    expect![[r#"
          0.000 ! OutOfcpu: Node didn't have enough resource: cpu, requested: 5000, used: 0, capacity: 4000
          0.000   web = Pending
          0.000   web = Failed OutOfcpu: Pod was rejected: Node didn't have enough resource: cpu, requested: 5000, used: 0, capacity: 4000
    "#]].assert_eq(&scene.diary());
}
