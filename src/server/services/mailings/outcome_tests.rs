//! What people read of a mail server's reply; which replies mean what stands in the tests of `vestnik_reports`.

use crate::domain::lang::Lang;
use crate::locales::text;
use vestnik_reports::Meaning;

const SENTENCES: [(Meaning, &str, &str); 19] = [
    (Meaning::NoMailbox, "Mailbox does not exist", "Такого ящика нет"),
    (
        Meaning::NoDomain,
        "The email domain does not exist or takes no email",
        "Почтового домена нет, или он не принимает почту",
    ),
    (Meaning::Closed, "Mailbox is closed", "Ящик закрыт"),
    (Meaning::Full, "Mailbox is full", "Ящик переполнен"),
    (
        Meaning::TooBig,
        "The email is too large for the receiving server",
        "Письмо слишком велико для принимающего сервера",
    ),
    (Meaning::Spam, "Refused as spam", "Отклонено как спам"),
    (
        Meaning::Blocklisted,
        "The sending server is on a blocklist or has a bad reputation",
        "Сервер отправителя в чёрном списке или у него плохая репутация",
    ),
    (
        Meaning::Unverified,
        "The sender could not be verified (SPF, DKIM, DMARC or reverse DNS)",
        "Не удалось проверить отправителя (SPF, DKIM, DMARC или обратная запись DNS)",
    ),
    (
        Meaning::TooFast,
        "The receiving server takes no more emails from us for now",
        "Принимающий сервер пока не берёт от нас больше писем",
    ),
    (
        Meaning::Greylisted,
        "The receiving server asks newcomers to come back",
        "Принимающий сервер просит незнакомых зайти ещё раз",
    ),
    (Meaning::Busy, "The receiving server is busy", "Принимающий сервер занят"),
    (Meaning::NoAnswer, "The mail server did not answer", "Почтовый сервер не ответил"),
    (
        Meaning::NoRelay,
        "The mail server does not pass on emails for this address",
        "Почтовый сервер не пересылает письма на этот адрес",
    ),
    (Meaning::SenderRefused, "The sender address was refused", "Адрес отправителя отклонён"),
    (Meaning::BadAddress, "The address is not accepted as written", "Адрес в таком виде не принимается"),
    (Meaning::Policy, "Refused by the receiver's rules", "Отклонено по правилам получателя"),
    (
        Meaning::Unsupported,
        "The receiving server cannot take this kind of email",
        "Принимающий сервер не умеет принимать такие письма",
    ),
    (Meaning::Refused, "The receiving server refused the email", "Принимающий сервер отклонил письмо"),
    (Meaning::Later, "The receiving server asks to try later", "Принимающий сервер просит попробовать позже"),
];

#[test]
fn every_meaning_has_its_sentence() {
    for (meaning, (of, english, russian)) in Meaning::ALL.into_iter().zip(SENTENCES) {
        let key = format!("outcome.{}", meaning.as_str());
        assert_eq!((of, text(Lang::En, &key).as_str()), (meaning, english));
        assert_eq!(text(Lang::Ru, &key), russian);
    }
}
