//! What the users of `vestnik demo` write. These are a user's texts, not the interface's: each user
//! writes in one language.

use crate::domain::lang::Lang;

/// A message as somebody wrote it.
#[derive(Debug)]
pub struct Text {
    pub subject: &'static str,
    pub body: &'static str,
}

/// One user's things to say.
#[derive(Debug)]
pub struct Texts {
    pub user: &'static str,
    pub email: &'static str,
    pub zone: &'static str,
    /// Comments on clients; the first is what a mailing searches for.
    pub comments: [&'static str; 3],
    pub welcome: Text,
    pub digest: Text,
    pub invitation: Text,
    /// Titles of the mailings.
    pub once: &'static str,
    pub daily: &'static str,
    pub monthly: &'static str,
    pub paused: &'static str,
}

const EN: Texts = Texts {
    user: "Emma Holloway",
    email: "demo@vestnik.example",
    zone: "Europe/London",
    comments: ["Pottery workshop", "Bought a gift card", "Prefers Saturday mornings"],
    welcome: Text {
        subject: "{% if full_name %}{{ full_name }}, our{% else %}Our{% endif %} new studio is open",
        body: "# Come and see the new studio

Hello{% if full_name %} {{ full_name }}{% endif %},

after four months of plaster dust we have moved into **12 Mill Lane**. There are ten wheels instead of
six, a second kiln, and a window over the river.

What is on in the first week:

- *Monday to Thursday*: open studio from 10:00 to 18:00
- *Friday*: an evening of glazing, 18:30
- *Saturday*: the first throw, for those who have never tried

A cup of tea is on us: [find the way](https://example.org/mill-lane).

See you soon,
Emma
",
    },
    digest: Text {
        subject: "Free places at the wheel today",
        body: "Hello{% if full_name %} {{ full_name }}{% endif %},

these places are still free today:

1. 11:00, beginners, two places
2. 15:00, open studio, four places
3. 18:30, bowls and plates, one place

[Book a place](https://example.org/book) or simply answer this letter.

{% if comment %}> We have noted about you: {{ comment }}

{% endif %}Emma
",
    },
    invitation: Text {
        subject: "This month at the studio",
        body: "## This month at the studio

Hello{% if full_name %} {{ full_name }}{% endif %},

a short look ahead:

- The **autumn glazes** have arrived: ash, moss and a deep blue.
- Your fired pieces wait on the shelf by the door for four weeks.
- The members' sale is on the last Sunday of the month.

[The whole calendar](https://example.org/calendar)

With warm hands,
Emma
",
    },
    once: "The new studio is open",
    daily: "Free places today",
    monthly: "News of the month",
    paused: "Workshop reminder",
};

const RU: Texts = Texts {
    user: "Ольга Рябинина",
    email: "demo-ru@vestnik.example",
    zone: "Europe/Moscow",
    comments: ["Абонемент", "Есть подарочный сертификат", "Просит писать по будням"],
    welcome: Text {
        subject: "{% if full_name %}{{ full_name }}, мы{% else %}Мы{% endif %} открыли новый книжный зал",
        body: "# Приходите на новоселье

Здравствуйте{% if full_name %}, {{ full_name }}{% endif %}!

Мы закончили ремонт и открыли второй зал на **Садовой, 14**: теперь детские книги живут отдельно, а у окна
можно посидеть с чаем.

Что будет в первую неделю:

- *понедельник — четверг*: скидка 10 % на всё, что стоит в новом зале;
- *пятница, 19:00*: встреча с переводчиком;
- *суббота, 12:00*: читаем вслух детям от пяти лет.

[Как нас найти](https://example.org/sadovaya)

До встречи!
Ольга
",
    },
    digest: Text {
        subject: "Новинки дня на наших полках",
        body: "Здравствуйте{% if full_name %}, {{ full_name }}{% endif %}!

Сегодня привезли:

1. сборник рассказов о море — последние пять экземпляров;
2. большой атлас птиц с рисунками;
3. переиздание писем Чехова.

[Отложить книгу](https://example.org/books) можно до вечера — или просто ответьте на это письмо.

{% if comment %}> Помним о вас: {{ comment }}

{% endif %}Ольга
",
    },
    invitation: Text {
        subject: "Книжный клуб: планы на месяц",
        body: "## Планы на месяц

Здравствуйте{% if full_name %}, {{ full_name }}{% endif %}!

Коротко о главном:

- В **книжном клубе** читаем «Степь»; собираемся в последний четверг месяца.
- Заказанные книги ждут вас у кассы четыре недели.
- В воскресенье — обмен прочитанными книгами, вход свободный.

[Всё расписание](https://example.org/calendar)

С теплом,
Ольга
",
    },
    once: "Новый зал открыт",
    daily: "Новинки дня",
    monthly: "Новости месяца",
    paused: "Напоминание об абонементе",
};

/// What the user who writes in this language has to say.
pub fn texts(lang: Lang) -> &'static Texts {
    match lang {
        Lang::En => &EN,
        Lang::Ru => &RU,
    }
}
