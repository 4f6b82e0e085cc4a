//! Replies as they come from known servers, and what they mean.

use vestnik_reports::{Meaning, meaning};

use Meaning::{
    BadAddress, Blocklisted, Busy, Closed, Full, Greylisted, Later, NoAnswer, NoDomain, NoMailbox, NoRelay, Policy,
    Refused, SenderRefused, Spam, TooBig, TooFast, Unsupported, Unverified,
};

/// Who said it, with which code, in which words.
const REPLIES: [(&str, u16, &str, Meaning); 57] = [
    (
        "Postfix",
        550,
        "5.1.1 <a@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
        NoMailbox,
    ),
    (
        "Gmail",
        550,
        "5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email address",
        NoMailbox,
    ),
    ("Yahoo", 554, "delivery error: dd This user doesn't have a yahoo.com account (a@yahoo.com) [0]", NoMailbox),
    (
        "Exchange Online",
        550,
        "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient a@example.org not found by SMTP address lookup",
        NoMailbox,
    ),
    ("Outlook.com", 550, "5.5.0 Requested action not taken: mailbox unavailable (S2017062302).", NoMailbox),
    ("Exim", 550, "Unrouteable address", NoMailbox),
    (
        "Mail.ru",
        550,
        "Message was not accepted -- invalid mailbox. Local mailbox a@mail.ru is unavailable: user not found",
        NoMailbox,
    ),
    ("Yandex", 550, "5.7.1 No such user!", NoMailbox),
    ("GMX", 550, "Requested action not taken: mailbox unavailable", NoMailbox),
    ("qmail", 511, "sorry, no mailbox here by that name (#5.1.1 - chkuser)", NoMailbox),
    ("Office 365 edge", 550, "5.4.1 Recipient address rejected: Access denied. AS(201806281)", NoMailbox),
    ("Gmail", 550, "5.2.1 The email account that you tried to reach is disabled.", Closed),
    ("Mail.ru", 550, "Account is inactive", Closed),
    ("Postfix", 550, "5.2.1 <a@example.org>: mailbox closed", Closed),
    (
        "Gmail",
        552,
        "5.2.2 The email account that you tried to reach is over quota. Please direct the recipient to clear space",
        Full,
    ),
    ("Dovecot", 452, "4.2.2 <a@example.org> Quota exceeded (mailbox for user is full)", Full),
    ("Exchange Online", 554, "5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException", Full),
    ("Yandex", 552, "5.2.2 Mailbox size limit exceeded", Full),
    ("Gmail", 452, "4.2.2 The email account that you tried to reach is over quota.", Full),
    ("Postfix", 552, "5.3.4 Message size exceeds fixed limit", TooBig),
    ("Gmail", 552, "5.3.4 Your message exceeded Google's message size limits.", TooBig),
    ("Gmail", 550, "5.7.1 Our system has detected that this message is likely unsolicited mail.", Spam),
    ("Yandex", 554, "5.7.1 [2] Message rejected under suspicion of SPAM; https://ya.cc/1IrBc", Spam),
    ("Mail.ru", 550, "spam message rejected. Please visit https://help.mail.ru/notspam-support", Spam),
    ("SpamAssassin milter", 550, "5.7.1 Blocked by SpamAssassin: identified as spam", Spam),
    (
        "Postfix with Spamhaus",
        554,
        "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
        Blocklisted,
    ),
    ("Exchange Online", 550, "5.7.606 Access denied, banned sending IP [192.0.2.1]", Blocklisted),
    (
        "Yahoo",
        553,
        "5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list",
        Blocklisted,
    ),
    ("Comcast", 554, "5.7.1 192.0.2.1 has a poor reputation", Blocklisted),
    (
        "Gmail",
        550,
        "5.7.26 This mail has been blocked because the sender is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM.",
        Unverified,
    ),
    (
        "Exchange Online",
        550,
        "5.7.515 Access denied, sending domain EXAMPLE.ORG does not meet the required DMARC authentication level",
        Unverified,
    ),
    ("Mail.ru", 550, "5.7.1 Message rejected due to DMARC policy of the domain", Unverified),
    ("Postfix", 450, "4.7.25 Client host rejected: cannot find your reverse hostname, [192.0.2.1]", Unverified),
    (
        "Gmail",
        421,
        "4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address",
        TooFast,
    ),
    (
        "Gmail",
        450,
        "4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages",
        TooFast,
    ),
    (
        "Yahoo",
        421,
        "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
        TooFast,
    ),
    (
        "Postgrey",
        450,
        "4.2.0 <a@example.org>: Recipient address rejected: Greylisted, see http://postgrey.example",
        Greylisted,
    ),
    ("Rspamd", 451, "4.7.1 Greylisting in action, please come back later", Greylisted),
    ("Postfix", 451, "4.3.0 <a@example.org>: Temporary lookup failure", Busy),
    ("Exchange Online", 451, "4.3.2 STOREDRV; server busy, please retry later", Busy),
    ("Sendmail", 452, "4.3.1 Insufficient system resources", Busy),
    ("Postfix as relay", 554, "5.7.1 <a@example.org>: Relay access denied", NoRelay),
    ("Postfix", 550, "5.1.8 <b@example.org>: Sender address rejected: Domain not found", SenderRefused),
    ("Postfix", 501, "5.1.3 Bad recipient address syntax", BadAddress),
    ("Postfix", 550, "5.6.7 SMTPUTF8 is required, but was not offered by host", Unsupported),
    ("Postfix", 556, "5.1.10 Recipient address has null MX", NoDomain),
    ("any", 554, "5.7.1 Message refused", Policy),
    ("any", 450, "4.5.0 Not now", Later),
    // Of the sender, in words that are also said of mailboxes.
    (
        "Gmail as relay",
        550,
        "5.4.5 Daily user sending quota exceeded. For more information go to support.google.com",
        TooFast,
    ),
    ("Amazon SES", 454, "Throttling failure: Daily message quota exceeded.", TooFast),
    (
        "cPanel",
        550,
        "Domain example.org has exceeded the max emails per hour (150/100 (150%)) allowed. Message discarded.",
        TooFast,
    ),
    ("Mailgun", 550, "5.7.1 Domain mg.example.org is disabled: Business Verification", Policy),
    ("a hoster", 554, "Your account has been suspended", Policy),
    ("Postfix", 550, "5.7.1 User does not accept mail from you", Policy),
    // What stands in an address is no answer.
    ("Postfix", 550, "5.1.1 <news@spamhaus.example>: Recipient address rejected: User unknown", NoMailbox),
    ("Postfix", 550, "5.1.1 greylist@example.org: User unknown", NoMailbox),
    ("Dovecot", 452, "4.2.2 Too many messages in the mailbox, quota exceeded", Full),
];

#[test]
fn replies_of_known_servers() {
    for (who, code, text, expected) in REPLIES {
        assert_eq!(meaning(Some(code), text), expected, "{who}: {code} {text}");
    }
    assert_eq!(meaning(Some(554), "Transaction failed"), Refused);
    assert_eq!(meaning(Some(550), "5.1.7 Invalid sender"), SenderRefused);
    assert_eq!(meaning(None, "connection refused"), NoAnswer);
}
