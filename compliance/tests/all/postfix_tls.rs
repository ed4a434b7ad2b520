//! `postfix tls`: keys, certificates and settings.

use compliance::golden;
use compliance::shell::{at_once, one_by_one};
use compliance::testkit::Instance;

/// Runs openssl(1) of this machine on both systems.
fn with_openssl(main_cf: &str) -> Instance {
    let instance = Instance::builder().main_cf(main_cf).build();
    std::fs::copy("/usr/bin/openssl", instance.seen("openssl")).unwrap();
    one_by_one(
        &instance,
        "",
        &["echo openssl_path = TOP/openssl >>/etc/postfix/main.cf"],
    );
    instance
}

/// Keys, digests and the names of new files vary.
fn without_keys(told: &str) -> String {
    let patterns = [
        (r"\d{8}-\d{6}", "STAMP"),
        (r"3 1 1 [0-9a-f]{64}", "3 1 1 DIGEST"),
        (
            r"(?s)-----BEGIN CERTIFICATE REQUEST-----.*?-----END",
            "-----BEGIN...END",
        ),
        (r"(?m)^! [-.+*]+$\n", ""),
    ];
    let mut told = told.to_owned();
    for (pattern, with) in patterns {
        let pattern = regex::Regex::new(pattern).unwrap();
        told = pattern.replace_all(&told, with).into_owned();
    }
    told
}

#[test]
fn tls_in_a_few_words() {
    let instance = with_openssl("");
    let told = one_by_one(
        &instance,
        "etc",
        &[
            "postfix tls all-default-client",
            "postfix tls all-default-server",
            "postfix tls enable-client; tail -n 5 main.cf",
            "postconf -X smtp_tls_security_level; postfix tls enable-client; tail -n 5 main.cf",
            "postfix tls enable-client",
            "postfix tls all-default-client",
            "postfix tls output-server-csr",
            "postfix tls output-server-tlsa",
            "postfix tls enable-server -a ecdsa host.example www.example; tail -n 7 main.cf",
            "TOP/openssl x509 -in eccert-*.pem -noout -subject -issuer -ext subjectAltName,basicConstraints,extendedKeyUsage",
            "stat -c '%a %U' ec*.pem",
            "postfix tls all-default-server",
            "postfix tls enable-server",
            "postfix tls output-server-tlsa",
            "postfix tls output-server-tlsa -h other.example eckey-*.pem",
            "postfix tls output-server-csr -k ecdsa one.example two.example",
            "postfix tls output-server-csr | OPENSSL_CONF=/dev/null TOP/openssl req -noout -text | grep -A1 -e Subject: -e DNS:",
            "rm *.pem; postfix tls new-server-cert -a ecdsa",
            "mv eckey-*.pem key.pem; mv eccert-*.pem cert.pem; postfix tls deploy-server-cert cert.pem key.pem; tail -n 7 main.cf",
            "TOP/openssl x509 -in cert.pem -noout -subject -ext subjectAltName",
            "postfix tls new-server-cert -a ecdsa; cmp key.pem eckey-*.pem",
            "postfix tls deploy-server-cert eccert-*.pem TOP/etc/key.pem",
            "postfix tls new-server-key -b 1024 >/dev/null; ls",
            "postfix tls deploy-server-cert cert.pem key-*.pem",
            "rm key-*.pem cert-*.pem; postfix tls new-server-cert -a rsa -b 1024 www.example",
        ],
    );
    golden::check(&instance, "postfix/tls", &without_keys(&told));
}

#[test]
fn mistakes_about_tls() {
    let instance = with_openssl("");
    instance.write("etc/nothing", "");
    let cases = [
        "postfix tls",
        "postfix tls nonsense",
        "postfix tls enable-client x",
        "postfix tls enable-client -x",
        "postfix tls enable-client -r",
        "postfix tls enable-server -a dsa",
        "postfix tls enable-server -a ''",
        "postfix tls enable-server -b",
        "postfix tls new-server-key -a ''",
        "postfix tls new-server-key -a dsa",
        "postfix tls new-server-key -r x",
        "postfix tls new-server-cert -a ''",
        "postfix tls new-server-cert -a dsa",
        "postfix tls new-server-key -a ecdsa -b nonsense 2>&1 | tail -n 1",
        "postfix tls deploy-server-cert",
        "postfix tls deploy-server-cert nothing nothing",
        "postfix tls deploy-server-cert a b c",
        "postfix tls output-server-csr -k nowhere",
        "postfix tls output-server-csr -k none",
        "postfix tls output-server-csr -x",
        "postfix tls output-server-tlsa nothing",
        "postfix tls output-server-tlsa -k x",
        "postfix tls all-default-client x",
        "postfix tls all-default-server x",
    ];
    let mut told = at_once(&instance, "etc", &cases);
    told += &one_by_one(
        &instance,
        "",
        &["echo openssl_path = /nowhere >/etc/postfix/main.cf; postfix tls enable-client"],
    );
    golden::check(&instance, "postfix/tls-mistakes", &told);
}
