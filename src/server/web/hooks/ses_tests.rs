use super::super::sns::{Fetch, Sns, Topic};
use super::*;
use crate::server::clock::ManualClock;
use crate::server::db::testing::on_both;
use crate::server::db::{Db, on_db};
use crate::server::services::testing::{actor, sent_mailing};
use crate::server::web::testing::Served;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use url::Url;

const ARN: &str = "arn:aws:sns:eu-west-1:123456789012:bounces";
const CERTIFICATE: &str = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem";

/// Amazon, with a key of the test's own; notes what it is asked.
#[derive(Clone)]
struct Amazon {
    key: Arc<KeyPair>,
    certificate: Arc<String>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fetch for Amazon {
    fn get<'a>(&'a self, url: &'a Url) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, Refused>> + Send + 'a>> {
        self.asked.lock().unwrap().push(url.to_string());
        Box::pin(async move { Ok(self.certificate.as_bytes().to_vec()) })
    }
}

impl Amazon {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        let certificate = CertificateParams::new(vec!["sns.amazonaws.com".to_owned()]).unwrap();
        let certificate = certificate.self_signed(&key).unwrap().pem();
        let key = KeyPair::from_pkcs8(&key.serialize_der()).unwrap();
        Self { key: Arc::new(key), certificate: Arc::new(certificate), asked: Arc::default() }
    }

    /// Signs what Amazon documents as signed.
    fn sign(&self, mut message: Value) -> Value {
        let names = match message["Type"].as_str() {
            Some("Notification") => vec!["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
            _ => vec!["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
        };
        let signed: String =
            names.iter().filter_map(|name| Some(format!("{name}\n{}\n", message.get(name)?.as_str()?))).collect();
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        message["Signature"] = STANDARD.encode(signature).into();
        message
    }

    fn notification(&self, event: &Value) -> Value {
        self.sign(json!({
            "Type": "Notification", "MessageId": "1", "TopicArn": ARN, "Subject": "Amazon SES", "Message": event.to_string(),
            "Timestamp": "2026-05-04T09:59:00.000Z", "SignatureVersion": "2", "SigningCertURL": CERTIFICATE,
            "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
        }))
    }
}

async fn served(db: &Db, amazon: &Amazon) -> Served {
    let clock = ManualClock::new("2026-05-04T10:00:00Z".parse().unwrap());
    let mut served = Served::start_set(db.clone(), clock, |config| config.ses_topic = Topic::parse(ARN)).await;
    served.state.sns = Sns::with(amazon.clone());
    served
}

async fn post(served: &Served, message: &Value) -> u16 {
    // SNS says that it is text.
    let headers = axum::http::Request::post("/hooks/ses").header("Content-Type", "text/plain; charset=UTF-8");
    let request = headers.body(axum::body::Body::from(message.to_string())).unwrap();
    tower::ServiceExt::oneshot(served.service(), request).await.unwrap().status().as_u16()
}

async fn ledger(db: &Db) -> Vec<(String, String)> {
    const SQL: &str = "SELECT email, reason FROM suppressions ORDER BY id";
    on_db!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await).unwrap()
}

/// What SES tells of a bounce of a letter whose envelope's sender was `source`.
fn bounce(source: &str) -> Value {
    json!({
        "notificationType": "Bounce", "mail": { "source": source, "messageId": "m" },
        "bounce": { "bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [
            { "emailAddress": "c0@example.org", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown" }] },
    })
}

async fn only_what_amazon_signed_of_the_topic_counts(db: Db) {
    let amazon = Amazon::new();
    let served = served(&db, &amazon).await;
    let owner = actor(&db, "owner@example.org").await;
    sent_mailing(&db, &owner, 2).await;
    let ids: Vec<i64> =
        on_db!(&db, pool => sqlx::query_scalar("SELECT id FROM deliveries ORDER BY id").fetch_all(pool).await).unwrap();
    let source = |id: i64| format!("b-{}@bounces.example.org", served.state.config.tokens.token(id));
    let good = amazon.notification(&bounce(&source(ids[0])));
    let with = |name: &str, value: &str| {
        let mut other = good.clone();
        other[name] = value.into();
        other
    };
    let elsewhere = [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns.eu-west-1.amazonaws.com.example.org/SimpleNotificationService-0a.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-0a.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-0a.pem",
        "https://s3.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns.eu-west-1.amazonaws.com/?Action=GetEndpointAttributes",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem?Action=GetEndpointAttributes",
        "https://sns.eu-west-1.amazonaws.com/a/SimpleNotificationService-0a.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem/x",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-.pem",
        "",
    ];
    for message in elsewhere.map(|url| with("SigningCertURL", url)) {
        assert_eq!(post(&served, &message).await, 401, "{}", message["SigningCertURL"]);
    }
    assert!(amazon.asked.lock().unwrap().is_empty(), "nobody else is asked for anything");
    for message in [
        amazon.sign(with("TopicArn", "arn:aws:sns:eu-west-1:210987654321:bounces")),
        with("Message", "{}"),
        with("Signature", "AAAA"),
        with("Signature", "я"),
        with("SignatureVersion", "1"),
        with("SignatureVersion", "3"),
        amazon.sign(with("Timestamp", "2026-05-04T07:59:00.000Z")),
        amazon.sign(with("Timestamp", "2026-05-04T10:06:00.000Z")),
        Amazon::new().notification(&bounce(&source(ids[0]))),
    ] {
        assert_eq!(post(&served, &message).await, 401, "{message}");
    }
    assert_eq!(post(&served, &json!({})).await, 400);
    assert!(ledger(&db).await.is_empty());
    assert_eq!(post(&served, &good).await, 200);
    assert_eq!(post(&served, &good).await, 200, "the second time, too");
    assert_eq!(ledger(&db).await, [("c0@example.org".to_owned(), "hard_bounce".to_owned())]);
    assert_eq!(amazon.asked.lock().unwrap().as_slice(), [CERTIFICATE], "a certificate is asked for once");
    // Header fields that SES brings along name the letter as well.
    let link = format!("<https://news.example.org/u/{}>", served.state.config.tokens.token(ids[1]));
    let complaint = json!({
        "eventType": "Complaint", "mail": { "source": "news@example.org", "headers": [{ "name": "List-Unsubscribe", "value": link }] },
        "complaint": { "complainedRecipients": [{ "emailAddress": "c1@example.org" }], "complaintFeedbackType": "abuse" },
    });
    assert_eq!(post(&served, &amazon.notification(&complaint)).await, 200);
    assert_eq!(ledger(&db).await.last().unwrap(), &("c1@example.org".to_owned(), "complaint".to_owned()));
    // What says nothing of a letter is taken, and nothing follows.
    for event in [json!({ "eventType": "Delivery" }), json!("Successfully validated SNS topic"), json!({})] {
        assert_eq!(post(&served, &amazon.notification(&event)).await, 200, "{event}");
    }
    assert_eq!(ledger(&db).await.len(), 2);
}

/// It is not sent again after a refusal.
async fn an_answer_that_is_cut_off_is_asked_for_again(db: Db) {
    let mut amazon = Amazon::new();
    amazon.certificate = Arc::new("-----BEGIN CERTIFICATE-----\nMIIB".to_owned());
    let served = served(&db, &amazon).await;
    let owner = actor(&db, "owner@example.org").await;
    sent_mailing(&db, &owner, 1).await;
    assert_eq!(post(&served, &amazon.notification(&bounce("b-x@bounces.example.org"))).await, 503);
}

async fn a_subscription_is_confirmed_at_amazon_alone(db: Db) {
    let amazon = Amazon::new();
    let served = served(&db, &amazon).await;
    let ask = |url: &str| {
        amazon.sign(json!({
            "Type": "SubscriptionConfirmation", "MessageId": "1", "TopicArn": ARN, "Token": "t", "SubscribeURL": url,
            "Message": "You have chosen to subscribe", "Timestamp": "2026-05-04T09:59:00.000Z", "SignatureVersion": "2",
            "SigningCertURL": CERTIFICATE,
        }))
    };
    assert_eq!(post(&served, &ask("https://evil.example/confirm")).await, 400);
    assert_eq!(amazon.asked.lock().unwrap().as_slice(), [CERTIFICATE]);
    let url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t";
    assert_eq!(post(&served, &ask(url)).await, 200);
    assert_eq!(amazon.asked.lock().unwrap().as_slice(), [CERTIFICATE, url]);
}

on_both!(
    only_what_amazon_signed_of_the_topic_counts,
    an_answer_that_is_cut_off_is_asked_for_again,
    a_subscription_is_confirmed_at_amazon_alone,
);

#[test]
fn topics_have_names() {
    for (arn, host) in [
        (ARN, "sns.eu-west-1.amazonaws.com"),
        ("arn:aws-us-gov:sns:us-gov-west-1:123456789012:a_b-c.fifo", "sns.us-gov-west-1.amazonaws.com"),
        ("arn:aws-cn:sns:cn-north-1:123456789012:a", "sns.cn-north-1.amazonaws.com.cn"),
    ] {
        assert!(format!("{:?}", Topic::parse(arn).unwrap()).contains(&format!("\"{host}\"")), "{arn}");
    }
    for arn in [
        "",
        "bounces",
        "arn:aws:sqs:eu-west-1:123456789012:a",
        "arn:aws:sns:evil.example/:123456789012:a",
        "arn:aws:sns::123456789012:a",
        "arn:aws:sns:eu-west-1:1234:a",
        "arn:aws:sns:eu-west-1:123456789012:a:subscription",
        "arn:other:sns:eu-west-1:123456789012:a",
    ] {
        assert_eq!(Topic::parse(arn), None, "{arn}");
    }
}

#[test]
fn each_kind_has_its_class() {
    let bounced = |kind: &str, sub: &str, status: Option<&str>, code: Option<&str>| {
        let recipient = json!({ "emailAddress": "a@example.org", "status": status, "diagnosticCode": code });
        json!({ "eventType": "Bounce", "bounce": { "bounceType": kind, "bounceSubType": sub, "bouncedRecipients": [recipient] } })
    };
    let complained = |kind: Option<&str>| json!({ "eventType": "Complaint", "complaint": { "complainedRecipients": [], "complaintFeedbackType": kind } });
    for (event, class) in [
        (bounced("Permanent", "NoEmail", Some("5.1.1"), Some("550 user unknown")), Class::NoAddress),
        (bounced("Permanent", "OnAccountSuppressionList", None, None), Class::NoAddress),
        (bounced("Permanent", "General", Some("5.7.1"), Some("550 5.7.1 blocked by policy")), Class::Policy),
        (bounced("Transient", "MailboxFull", None, None), Class::Full),
        (bounced("Transient", "General", None, None), Class::Unknown),
        (bounced("Transient", "Undetermined", None, None), Class::Passing),
        (bounced("Transient", "MessageTooLarge", None, None), Class::Letter),
        (bounced("Undetermined", "Undetermined", None, None), Class::Unknown),
        (complained(Some("abuse")), Class::Complaint),
        (complained(None), Class::Complaint),
        (complained(Some("not-spam")), Class::Unknown),
        (
            json!({ "eventType": "DeliveryDelay", "deliveryDelay": { "delayedRecipients": [{ "status": "4.4.1" }] } }),
            Class::UnderWay,
        ),
    ] {
        let meaning = read(serde_json::from_value(event.clone()).unwrap()).unwrap();
        assert_eq!(meaning.class, class, "{event}");
    }
    for kind in ["Send", "Delivery", "Open", "Click", "Reject", "Rendering Failure", "Subscription"] {
        assert!(read(serde_json::from_value(json!({ "eventType": kind })).unwrap()).is_none(), "{kind}");
    }
}
