use crate::Protocol;
use crate::images::spec::{Base, Behaviour, Dependency, ImageSpec, Route, Stop};

const APP: ImageSpec = ImageSpec {
    base: Base::Alpine,
    startup_ms: 300,
    memory_mb: 25,
    stop: Stop::After { ms: 50, code: 0 },
    ..ImageSpec::DEFAULT
};

const fn grpc(variable: &'static str, what: &'static str, required: bool) -> Dependency {
    Dependency { variable, host: "", port: 0, protocol: Protocol::Grpc, what, required }
}

const CURRENCY: Dependency = grpc("CURRENCY_SERVICE_ADDR", "/hipstershop.CurrencyService/GetSupportedCurrencies", true);
const PRODUCTS: Dependency =
    grpc("PRODUCT_CATALOG_SERVICE_ADDR", "/hipstershop.ProductCatalogService/ListProducts", true);
const CART: Dependency = grpc("CART_SERVICE_ADDR", "/hipstershop.CartService/GetCart", true);
const ADS: Dependency = grpc("AD_SERVICE_ADDR", "/hipstershop.AdService/GetAds", false);
const RECOMMENDATIONS: Dependency =
    grpc("RECOMMENDATION_SERVICE_ADDR", "/hipstershop.RecommendationService/ListRecommendations", false);
const SHIPPING: Dependency = grpc("SHIPPING_SERVICE_ADDR", "/hipstershop.ShippingService/GetQuote", true);
const CHECKOUT: Dependency = grpc("CHECKOUT_SERVICE_ADDR", "/hipstershop.CheckoutService/PlaceOrder", true);
const PAYMENT: Dependency = grpc("PAYMENT_SERVICE_ADDR", "/hipstershop.PaymentService/Charge", true);
const EMAIL: Dependency = grpc("EMAIL_SERVICE_ADDR", "/hipstershop.EmailService/SendOrderConfirmation", false);

const NO_CALLS: Behaviour = Behaviour::App { routes: &[], body: "ok" };
const HEALTH: Route = Route { prefix: "/grpc.health.v1.Health/", calls: &[] };

const BOUTIQUE_TAGS: &str = "v0.(1..12).(0..9)|latest";

const BOUTIQUE: ImageSpec =
    ImageSpec { tags: BOUTIQUE_TAGS, base: Base::Scratch, uid: 1000, behaviour: NO_CALLS, ..APP };

const fn redis(variable: &'static str, host: &'static str, what: &'static str) -> Dependency {
    Dependency { variable, host, port: 6379, protocol: Protocol::Tcp, what, required: true }
}

const GUESTBOOK: ImageSpec = ImageSpec {
    size_kb: 170_000,
    base: Base::Debian,
    entrypoint: &["docker-php-entrypoint"],
    cmd: &["apache2-foreground"],
    ports: &[80],
    programs: &["apache2-foreground"],
    tags: "v(1..6)",
    latency_us: 4_000,
    request_cpu_us: 2_000,
    behaviour: Behaviour::App {
        routes: &[
            Route {
                prefix: "/guestbook.php?cmd=set",
                calls: &[redis("REDIS_LEADER_SERVICE_HOST", "redis-leader", "SET {key} {value}")],
            },
            Route {
                prefix: "/guestbook.php?cmd=get",
                calls: &[redis("REDIS_FOLLOWER_SERVICE_HOST", "redis-follower", "GET {key}")],
            },
        ],
        body: "<html ng-app=\"redis\">\n  <head>\n    <title>Guestbook</title>\n  </head>\n  <body>\n    <h2>Guestbook</h2>\n  </body>\n</html>\n",
    },
    ..APP
};

const WEB_PAGE: ImageSpec =
    ImageSpec { ports_vary: true, programs: &["server"], ports: &[8080], cmd: &["server"], size_kb: 20_000, ..APP };

const PHP_SITE: ImageSpec = ImageSpec {
    base: Base::Debian,
    size_kb: 210_000,
    entrypoint: &["docker-entrypoint.sh"],
    cmd: &["apache2-foreground"],
    programs: &["apache2-foreground", "php-fpm"],
    ports: &[80],
    startup_ms: 1_500,
    latency_us: 20_000,
    request_cpu_us: 12_000,
    memory_mb: 60,
    ..APP
};

const fn database(variable: &'static str, host: &'static str, port: u16) -> Dependency {
    Dependency { variable, host, port, protocol: Protocol::Tcp, what: "SELECT 1", required: true }
}

pub const TABLE: &[ImageSpec] = &[
    ImageSpec {
        repositories: &["gcr.io/google-samples/hello-app", "us-docker.pkg.dev/google-samples/containers/gke/hello-app"],
        tags: "1.0|2.0",
        size_kb: 4_500,
        base: Base::Scratch,
        entrypoint: &["/hello-app"],
        programs: &["hello-app"],
        ports: &[8080],
        behaviour: Behaviour::Text {
            body: "Hello, world!\nVersion: {version}.0\nHostname: {hostname}\n",
            content_type: "text/plain; charset=utf-8",
        },
        startup_ms: 30,
        memory_mb: 6,
        ..APP
    },
    ImageSpec {
        repositories: &["gcr.io/google-samples/node-hello", "gcr.io/google-samples/hello-go-gke"],
        tags: "1.0",
        size_kb: 240_000,
        base: Base::Debian,
        cmd: &["node", "server.js"],
        programs: &["node", "hello-go-gke"],
        ports: &[8080, 80],
        behaviour: Behaviour::Text { body: "Hello Kubernetes!", content_type: "text/plain" },
        ..APP
    },
    ImageSpec {
        repositories: &["gcr.io/google-samples/kubernetes-bootcamp", "docker.io/jocatalin/kubernetes-bootcamp"],
        tags: "v1|v2",
        size_kb: 85_000,
        base: Base::Debian,
        cmd: &["node", "server.js"],
        programs: &["node"],
        tools: &["curl"],
        ports: &[8080],
        behaviour: Behaviour::Text {
            body: "Hello Kubernetes bootcamp! | Running on: {hostname} | v={version}\n",
            content_type: "text/plain",
        },
        ..APP
    },
    ImageSpec {
        repositories: &[
            "gcr.io/google-samples/gb-frontend",
            "us-docker.pkg.dev/google-samples/containers/gke/gb-frontend",
        ],
        ..GUESTBOOK
    },
    ImageSpec {
        repositories: &[
            "gcr.io/google-samples/gb-redis-follower",
            "gcr.io/google_samples/gb-redis-follower",
            "gcr.io/google_samples/gb-redisslave",
            "us-docker.pkg.dev/google-samples/containers/gke/gb-redis-follower",
        ],
        tags: "v(1..3)",
        size_kb: 38_000,
        base: Base::Debian,
        cmd: &["/run.sh"],
        programs: &["run.sh", "redis-server"],
        tools: &["redis-cli"],
        ports: &[6379],
        behaviour: Behaviour::Redis,
        env: &[("TABERNETES_REDIS_LEADER", "redis-leader")],
        latency_us: 100,
        ..APP
    },
    ImageSpec {
        repositories: &["us-central1-docker.pkg.dev/google-samples/microservices-demo/frontend"],
        size_kb: 12_000,
        entrypoint: &["/src/server"],
        programs: &["server"],
        ports: &[8080],
        latency_us: 3_000,
        request_cpu_us: 1_500,
        behaviour: Behaviour::App {
            routes: &[
                Route { prefix: "/_healthz", calls: &[] },
                Route { prefix: "/static", calls: &[] },
                Route { prefix: "/cart/checkout", calls: &[CHECKOUT, RECOMMENDATIONS, CURRENCY] },
                Route { prefix: "/cart", calls: &[CURRENCY, CART, RECOMMENDATIONS, SHIPPING, PRODUCTS] },
                Route { prefix: "/product", calls: &[PRODUCTS, CURRENCY, CART, RECOMMENDATIONS, ADS] },
                Route { prefix: "/", calls: &[CURRENCY, PRODUCTS, CART, ADS] },
            ],
            body: "<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>Online Boutique</title></head>\n<body><h1>Online Boutique</h1></body>\n</html>\n",
        },
        ..BOUTIQUE
    },
    ImageSpec {
        repositories: &["us-central1-docker.pkg.dev/google-samples/microservices-demo/checkoutservice"],
        size_kb: 10_000,
        entrypoint: &["/src/checkoutservice"],
        programs: &["checkoutservice"],
        ports: &[5050],
        latency_us: 5_000,
        behaviour: Behaviour::App {
            routes: &[HEALTH, Route { prefix: "/", calls: &[CART, PRODUCTS, CURRENCY, SHIPPING, PAYMENT, EMAIL] }],
            body: "ok",
        },
        ..BOUTIQUE
    },
    ImageSpec {
        repositories: &["us-central1-docker.pkg.dev/google-samples/microservices-demo/recommendationservice"],
        size_kb: 60_000,
        entrypoint: &["python", "recommendation_server.py"],
        programs: &["python"],
        ports: &[8080],
        startup_ms: 1_500,
        latency_us: 6_000,
        memory_mb: 130,
        behaviour: Behaviour::App { routes: &[HEALTH, Route { prefix: "/", calls: &[PRODUCTS] }], body: "ok" },
        ..BOUTIQUE
    },
    ImageSpec {
        repositories: &["us-central1-docker.pkg.dev/google-samples/microservices-demo/cartservice"],
        size_kb: 40_000,
        entrypoint: &["/app/cartservice"],
        programs: &["cartservice"],
        ports: &[7070],
        startup_ms: 1_200,
        latency_us: 2_000,
        memory_mb: 60,
        behaviour: Behaviour::App {
            routes: &[HEALTH, Route { prefix: "/", calls: &[redis("REDIS_ADDR", "", "GET cart")] }],
            body: "ok",
        },
        ..BOUTIQUE
    },
    ImageSpec {
        repositories: &["us-central1-docker.pkg.dev/google-samples/microservices-demo/productcatalogservice"],
        size_kb: 10_000,
        entrypoint: &["/src/server"],
        programs: &["server"],
        ports: &[3550],
        ..BOUTIQUE
    },
    ImageSpec {
        repositories: &["us-central1-docker.pkg.dev/google-samples/microservices-demo/shippingservice"],
        size_kb: 9_000,
        entrypoint: &["/src/shippingservice"],
        programs: &["shippingservice"],
        ports: &[50_051],
        ..BOUTIQUE
    },
    ImageSpec {
        repositories: &["us-central1-docker.pkg.dev/google-samples/microservices-demo/currencyservice"],
        size_kb: 60_000,
        entrypoint: &["node", "server.js"],
        programs: &["node"],
        ports: &[7000],
        startup_ms: 900,
        memory_mb: 70,
        ..BOUTIQUE
    },
    ImageSpec {
        repositories: &["us-central1-docker.pkg.dev/google-samples/microservices-demo/paymentservice"],
        size_kb: 60_000,
        entrypoint: &["node", "index.js"],
        programs: &["node"],
        ports: &[50_051],
        startup_ms: 900,
        memory_mb: 70,
        ..BOUTIQUE
    },
    ImageSpec {
        repositories: &["us-central1-docker.pkg.dev/google-samples/microservices-demo/emailservice"],
        size_kb: 70_000,
        entrypoint: &["python", "email_server.py"],
        programs: &["python"],
        ports: &[8080],
        startup_ms: 1_500,
        memory_mb: 60,
        ..BOUTIQUE
    },
    ImageSpec {
        repositories: &["us-central1-docker.pkg.dev/google-samples/microservices-demo/adservice"],
        size_kb: 100_000,
        entrypoint: &["/app/build/install/hipstershop/bin/AdService"],
        programs: &["AdService"],
        ports: &[9555],
        startup_ms: 6_000,
        memory_mb: 170,
        ..BOUTIQUE
    },
    ImageSpec {
        repositories: &["us-central1-docker.pkg.dev/google-samples/microservices-demo/loadgenerator"],
        size_kb: 70_000,
        base: Base::Debian,
        entrypoint: &["locust"],
        programs: &["locust"],
        behaviour: Behaviour::Idle,
        idle_cpu_milli: 60,
        memory_mb: 90,
        ..BOUTIQUE
    },
    ImageSpec {
        repositories: &["docker.io/hashicorp/http-echo", "docker.io/kennship/http-echo"],
        tags: "latest|alpine|0.2.3|1.0|1.0.0|1.1.0|0.2.1",
        size_kb: 3_000,
        base: Base::Scratch,
        entrypoint: &["/http-echo"],
        programs: &["http-echo"],
        ports: &[5678],
        behaviour: Behaviour::HttpEcho,
        startup_ms: 20,
        memory_mb: 4,
        ..APP
    },
    ImageSpec {
        repositories: &["docker.io/kennethreitz/httpbin", "docker.io/mccutchen/go-httpbin"],
        size_kb: 190_000,
        base: Base::Debian,
        cmd: &["gunicorn", "-b", "0.0.0.0:80", "httpbin:app", "-k", "gevent"],
        programs: &["gunicorn", "go-httpbin"],
        ports: &[80, 8080],
        behaviour: Behaviour::Text {
            body: "{\n  \"args\": {}, \n  \"headers\": {\n    \"Host\": \"{host}\"\n  }, \n  \"method\": \"{method}\", \n  \"origin\": \"{client}\", \n  \"url\": \"http://{host}{path}\"\n}\n",
            content_type: "application/json",
        },
        startup_ms: 1_200,
        memory_mb: 45,
        ..APP
    },
    ImageSpec {
        repositories: &["docker.io/stefanprodan/podinfo", "ghcr.io/stefanprodan/podinfo"],
        tags: "latest|(1..6).(0..13).(0..12)",
        size_kb: 21_000,
        cmd: &["./podinfo"],
        programs: &["podinfo"],
        tools: &["curl"],
        ports: &[9898, 9797, 9999],
        behaviour: Behaviour::Text {
            body: "{\n  \"hostname\": \"{hostname}\",\n  \"version\": \"{version}\",\n  \"message\": \"greetings from podinfo v{version}\"\n}",
            content_type: "application/json; charset=utf-8",
        },
        ..WEB_PAGE
    },
    ImageSpec {
        repositories: &[
            "docker.io/jmalloc/echo-server",
            "docker.io/ealen/echo-server",
            "registry.k8s.io/echoserver",
            "k8s.gcr.io/echoserver",
            "gcr.io/google_containers/echoserver",
            "gcr.io/k8s-minikube/echoserver",
            "docker.io/kicbase/echo-server",
            "docker.io/inanimate/echo-server",
            "docker.io/mendhak/http-https-echo",
        ],
        tags: "latest|1.(0..10)|0.(1..9).(0..9)|v(0..1).(0..9).(0..9)|(10..37)|1.0",
        entrypoint: &["/bin/echo-server"],
        programs: &["echo-server"],
        behaviour: Behaviour::Text {
            body: "Request served by {hostname}\n\n{method} {path} HTTP/1.1\n\nHost: {host}\n{headers}\n",
            content_type: "text/plain",
        },
        ..WEB_PAGE
    },
    ImageSpec {
        repositories: &["docker.io/traefik/whoami", "docker.io/containous/whoami"],
        tags: "latest|v1.(0..11)[.(0..9)]",
        size_kb: 2_800,
        base: Base::Scratch,
        entrypoint: &["/whoami"],
        programs: &["whoami"],
        ports: &[80],
        behaviour: Behaviour::Text {
            body: "Hostname: {hostname}\nIP: {ip}\nRemoteAddr: {client}\n{method} {path} HTTP/1.1\nHost: {host}\n{headers}",
            content_type: "text/plain",
        },
        ..WEB_PAGE
    },
    ImageSpec {
        repositories: &[
            "gcr.io/kuar-demo/kuard-amd64",
            "docker.io/paulbouwer/hello-kubernetes",
            "docker.io/rancher/hello-world",
            "mcr.microsoft.com/azuredocs/aks-helloworld",
        ],
        entrypoint: &["/kuard"],
        programs: &["kuard", "node"],
        ports: &[8080, 80],
        behaviour: Behaviour::Text { body: "<h1>Hello from {hostname}</h1>\n", content_type: "text/html" },
        ..WEB_PAGE
    },
    ImageSpec {
        repositories: &["docker.io/library/wordpress"],
        tags: "(latest|(4..6)[.(0..9)[.(0..9)]])[-(apache|fpm[-alpine]|php(7..8).(0..4)[-apache])]|apache|php8.(0..4)-apache",
        behaviour: Behaviour::App {
            routes: &[Route { prefix: "/", calls: &[database("WORDPRESS_DB_HOST", "mysql", 3306)] }],
            body: "<!DOCTYPE html>\n<html>\n<head><title>WordPress &rsaquo; Installation</title></head>\n</html>\n",
        },
        ..PHP_SITE
    },
    ImageSpec {
        repositories: &["docker.io/library/phpmyadmin", "docker.io/phpmyadmin/phpmyadmin"],
        behaviour: Behaviour::App {
            routes: &[Route {
                prefix: "/",
                calls: &[Dependency { required: false, ..database("PMA_HOST", "", 3306) }],
            }],
            body: "<title>phpMyAdmin</title>\n",
        },
        ..PHP_SITE
    },
    ImageSpec {
        repositories: &["docker.io/library/mongo-express"],
        cmd: &["mongo-express"],
        programs: &["mongo-express"],
        ports: &[8081],
        behaviour: Behaviour::App {
            routes: &[Route { prefix: "/", calls: &[database("ME_CONFIG_MONGODB_SERVER", "mongo", 27_017)] }],
            body: "<title>Home - Mongo Express</title>\n",
        },
        ..PHP_SITE
    },
    ImageSpec {
        repositories: &[
            "docker.io/library/drupal",
            "docker.io/library/joomla",
            "docker.io/library/nextcloud",
            "docker.io/library/ghost",
            "docker.io/library/adminer",
            "docker.io/library/redmine",
        ],
        ports: &[80, 2368, 8080, 3000],
        behaviour: Behaviour::Text { body: "<h1>It works!</h1>\n", content_type: "text/html" },
        ..PHP_SITE
    },
    ImageSpec {
        repositories: &[
            "docker.io/dockersamples/examplevotingapp_vote",
            "docker.io/dockersamples/examplevotingapp_result",
        ],
        ports: &[80],
        cmd: &["gunicorn"],
        programs: &["gunicorn", "node"],
        behaviour: Behaviour::App {
            routes: &[Route { prefix: "/", calls: &[Dependency { required: false, ..redis("", "redis", "PING") }] }],
            body: "<title>Cats vs Dogs!</title>\n",
        },
        ..PHP_SITE
    },
];
