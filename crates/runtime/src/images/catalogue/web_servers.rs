use crate::images::Base;
use crate::images::spec::{Behaviour, FileServer, ImageSpec, Stop};

const NGINX_INDEX: &str = "<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working.</p>
</body>
</html>
";

const NGINX_CONF: &str = "user  nginx;
worker_processes  auto;

error_log  /var/log/nginx/error.log notice;
pid        /run/nginx.pid;

events {
    worker_connections  1024;
}

http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;
    access_log  /var/log/nginx/access.log  main;
    sendfile        on;
    keepalive_timeout  65;
    include /etc/nginx/conf.d/*.conf;
}
";

const NGINX_DEFAULT_CONF: &str = "server {
    listen       80;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }

    error_page   500 502 503 504  /50x.html;
}
";

const NGINX_FILES: &[(&str, &str)] = &[
    ("/etc/nginx/nginx.conf", NGINX_CONF),
    ("/etc/nginx/mime.types", "types {\n    text/html html htm;\n}\n"),
    ("/etc/nginx/conf.d/default.conf", NGINX_DEFAULT_CONF),
    ("/usr/share/nginx/html/index.html", NGINX_INDEX),
    ("/usr/share/nginx/html/50x.html", "<h1>An error occurred.</h1>\n"),
    ("/docker-entrypoint.sh", ""),
];

const NGINX: ImageSpec = ImageSpec {
    repositories: &["docker.io/library/nginx", "public.ecr.aws/nginx/nginx", "public.ecr.aws/docker/library/nginx"],
    tags: "(latest|stable|mainline|1[.(7..29)[.(0..15)]])[-(alpine[(3.(5..22))|-slim|-perl|-otel][-slim]|perl|otel|bookworm[-(perl|otel)]|bullseye|trixie)]|alpine[-(slim|perl)]|perl|bookworm|trixie",
    size_kb: 72_000,
    entrypoint: &["/docker-entrypoint.sh"],
    cmd: &["nginx", "-g", "daemon off;"],
    ports: &[80],
    env: &[("NGINX_VERSION", "{version}")],
    files: NGINX_FILES,
    tools: &["curl"],
    programs: &["nginx", "nginx-debug"],
    behaviour: Behaviour::Files { root: "/usr/share/nginx/html", kind: FileServer::Nginx },
    startup_ms: 60,
    latency_us: 300,
    request_cpu_us: 60,
    memory_mb: 8,
    stop: Stop::After { ms: 30, code: 0 },
    ..ImageSpec::DEFAULT
};

pub const TABLE: &[ImageSpec] = &[
    NGINX,
    ImageSpec {
        repositories: &["docker.io/nginxinc/nginx-unprivileged"],
        ports: &[8080],
        uid: 101,
        user: "nginx",
        ..NGINX
    },
    ImageSpec {
        repositories: &["registry.k8s.io/nginx-slim", "registry.k8s.io/e2e-test-images/nginx", "k8s.gcr.io/nginx-slim"],
        tags: "0.(1..31)|1.(14..15)[-(1..9)]|1.(14..15)-alpine",
        ..NGINX
    },
    ImageSpec {
        repositories: &["docker.io/nginxdemos/hello"],
        tags: "latest|plain-text|0.(1..4)[-plain-text]",
        size_kb: 21_000,
        base: Base::Alpine,
        behaviour: Behaviour::Text {
            body: "Server address: {ip}:{port}\nServer name: {hostname}\nDate: {date}\nURI: {path}\nRequest ID: {id}\n",
            content_type: "text/plain",
        },
        ..NGINX
    },
    ImageSpec {
        repositories: &["docker.io/library/httpd", "registry.k8s.io/e2e-test-images/httpd"],
        tags: "(latest|2[.4[.(1..66)]])[-(alpine[3.(10..22)]|bookworm|bullseye|trixie|buster|1..9)]|alpine|bookworm",
        size_kb: 58_000,
        cmd: &["httpd-foreground"],
        ports: &[80],
        working_dir: "/usr/local/apache2",
        files: &[
            ("/usr/local/apache2/htdocs/index.html", "<html><body><h1>It works!</h1></body></html>\n"),
            ("/usr/local/apache2/conf/httpd.conf", "Listen 80\nDocumentRoot \"/usr/local/apache2/htdocs\"\n"),
        ],
        programs: &["httpd-foreground", "httpd"],
        behaviour: Behaviour::Files { root: "/usr/local/apache2/htdocs", kind: FileServer::Httpd },
        startup_ms: 120,
        latency_us: 500,
        memory_mb: 12,
        ..ImageSpec::DEFAULT
    },
    ImageSpec {
        repositories: &["docker.io/library/caddy"],
        tags: "(latest|2[.(0..11)[.(0..9)]])[-alpine]|alpine",
        size_kb: 21_000,
        base: Base::Alpine,
        cmd: &["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"],
        ports: &[80, 443],
        working_dir: "/srv",
        files: &[("/usr/share/caddy/index.html", "<h1>Congratulations!</h1>\n")],
        programs: &["caddy"],
        behaviour: Behaviour::Files { root: "/usr/share/caddy", kind: FileServer::Nginx },
        memory_mb: 20,
        ..ImageSpec::DEFAULT
    },
    ImageSpec {
        repositories: &["docker.io/library/traefik"],
        tags: "latest|v(1..3).(0..11)[.(0..40)]|(1..3).(0..11)[.(0..40)]",
        size_kb: 60_000,
        base: Base::Alpine,
        entrypoint: &["/entrypoint.sh"],
        cmd: &["traefik"],
        ports: &[80, 8080],
        programs: &["traefik", "entrypoint.sh"],
        behaviour: Behaviour::Text { body: "404 page not found\n", content_type: "text/plain" },
        memory_mb: 60,
        ..ImageSpec::DEFAULT
    },
    ImageSpec {
        repositories: &["docker.io/library/haproxy"],
        tags: "(latest|lts|(1..3).(0..9)[.(0..40)])[-(alpine|bookworm)]|alpine",
        size_kb: 40_000,
        cmd: &["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"],
        ports: &[80],
        programs: &["haproxy"],
        behaviour: Behaviour::Text { body: "<h1>503 Service Unavailable</h1>\n", content_type: "text/html" },
        stop: Stop::After { ms: 100, code: 143 },
        ..ImageSpec::DEFAULT
    },
    ImageSpec {
        repositories: &["docker.io/envoyproxy/envoy"],
        tags: "v1.(14..36)[.(0..20)]|v1.(14..36)-latest|distroless-v1.(20..36)[.(0..20)]|dev",
        size_kb: 75_000,
        cmd: &["envoy", "-c", "/etc/envoy/envoy.yaml"],
        ports: &[10_000],
        programs: &["envoy"],
        behaviour: Behaviour::Text { body: "", content_type: "text/plain" },
        memory_mb: 40,
        ..ImageSpec::DEFAULT
    },
    ImageSpec {
        repositories: &[
            "registry.k8s.io/hpa-example",
            "k8s.gcr.io/hpa-example",
            "gcr.io/google_containers/hpa-example",
        ],
        tags: "latest|v1",
        size_kb: 180_000,
        entrypoint: &["docker-php-entrypoint"],
        cmd: &["apache2-foreground"],
        ports: &[80],
        programs: &["apache2-foreground", "apache2"],
        behaviour: Behaviour::Text { body: "OK!", content_type: "text/html" },
        latency_us: 90_000,
        request_cpu_us: 80_000,
        memory_mb: 14,
        ..ImageSpec::DEFAULT
    },
    ImageSpec {
        repositories: &["docker.io/library/tomcat"],
        tags: "(latest|(7..11)[.(0..1)[.(0..120)]])[-(jdk|jre)(8|11|17|21)[-(temurin|openjdk|corretto)[-(jammy|noble|slim)]]]",
        size_kb: 200_000,
        cmd: &["catalina.sh", "run"],
        ports: &[8080],
        programs: &["catalina.sh"],
        behaviour: Behaviour::Text { body: "<h1>HTTP Status 404 – Not Found</h1>", content_type: "text/html" },
        startup_ms: 3_000,
        memory_mb: 150,
        stop: Stop::After { ms: 600, code: 143 },
        ..ImageSpec::DEFAULT
    },
];
