//! Posts of `vestnik demo`: three that are published and one that will be, by each user in their
//! language.

use super::Failure;
use super::demo_pictures::{PALETTES, draw};
use super::user::explain;
use crate::domain::lang::Lang;
use crate::forms::posts::PostForm;
use crate::server::db::Db;
use crate::server::services::images::{self, Upload};
use crate::server::services::posts::changes::Changes;
use crate::server::services::{Actor, posts};
use chrono::{DateTime, TimeDelta, Utc};

struct Text {
    title: &'static str,
    summary: &'static str,
    tags: &'static str,
    alt: &'static str,
    body: &'static str,
}

/// The days before (or, below zero, after) the demonstration on which the posts appear.
const DAYS: [i64; 4] = [21, 12, 3, -4];

/// Writes the posts of one user.
pub async fn write(db: &Db, actor: &Actor, lang: Lang, now: DateTime<Utc>) -> Result<(), Failure> {
    let texts = match lang {
        Lang::En => &EN,
        Lang::Ru => &RU,
    };
    let turn = if lang == Lang::En { 0.4 } else { 2.1 };
    for ((text, days), palette) in texts.iter().zip(DAYS).zip(PALETTES) {
        let data = draw(palette, turn + days as f32);
        let upload = Upload { name: "cover.png".to_owned(), alt: text.alt.to_owned(), data };
        let cover = images::add(db, actor, upload, now).await.map_err(explain)?;
        let at = now - TimeDelta::days(days);
        let form = PostForm {
            title: text.title.to_owned(),
            summary: text.summary.to_owned(),
            tags: text.tags.to_owned(),
            body: text.body.to_owned(),
            lang: lang.as_str().to_owned(),
            cover: cover.id,
            cover_alt: text.alt.to_owned(),
            publish: "now".to_owned(),
            ..PostForm::default()
        };
        posts::save(db, &Changes::default(), actor, &form, "", at).await.map_err(explain)?;
    }
    Ok(())
}

const EN: [Text; 4] = [
    Text {
        title: "Read the server's reply: 550, 451, 421",
        summary: "Three digits decide what happens to a letter. What they mean, and what to do about each.",
        tags: "SMTP, Deliveries",
        alt: "An envelope over red hills at dusk",
        body: "Every attempt to deliver a letter ends with a reply of the mail server. The first of its three digits \
is the one that counts.\n\n\
| Reply | Meaning | What Vestnik does |\n|---|---|---|\n\
| 2xx | taken | notes the letter as sent |\n| 4xx | not now | tries again later |\n| 5xx | never | notes the letter as failed |\n\n\
## 550: nobody of that name\n\nThe mailbox does not exist, or the server refuses you by policy. Read the text behind \
the number: it says which. A wrong address stays wrong, so correct it in the list of clients.\n\n\
```\n550 5.1.1 <anna@example.org>: Recipient address rejected: User unknown\n```\n\n\
## 451: come back later\n\nOften this is greylisting: the server knows you better at the second try. You need not do \
anything; waiting is what it asks for.\n\n\
## 421: closing the line\n\nThe server ends the conversation, for it is busy or is being restarted. It says nothing \
about the letter, so the try does not count.",
    },
    Text {
        title: "Monthly on the 31st: what should February do?",
        summary: "A schedule is a promise. How we keep it at the ends of months and when the clocks change.",
        tags: "Schedules",
        alt: "An envelope over blue hills by night",
        body: "Somebody starts a mailing on 31 January and wants it monthly. What happens in February?\n\n\
There are three honest answers: skip the month, send on 1 March, or send on the last day there is. We do the last, and \
**every date is counted from the first one**. So the 31st comes back as soon as a month has one:\n\n\
1. 31 January\n2. 28 February\n3. 31 March\n4. 30 April\n\n\
Whoever counts from the date before gets 28 March, and stays on the 28th for good.\n\n\
## The clocks\n\nAt 10:00 means 10:00 on the wall. In summer this is another instant than in winter, and the letter goes \
by the wall. If a change skips the very minute, it leaves at the first minute after it; if a minute comes twice, it leaves \
in the first one, and once.",
    },
    Text {
        title: "A letter that people wait for: five rules for the subject",
        summary: "The subject decides whether a letter is opened. Five rules, with examples to argue about.",
        tags: "Writing",
        alt: "An envelope over green hills in the morning",
        body: "1. **Say what is inside.** “Opening hours in December” beats “Important news”.\n\
2. **Put the main word first.** A telephone shows about thirty characters.\n\
3. **Use the name if you would say it aloud.** A name in every letter is a habit, not a greeting.\n\
4. **Promise nothing that the first line does not keep.**\n\
5. **Read it once as a stranger.** Would you open it?\n\n\
> If you cannot write the subject, the letter has two themes. Write two letters.\n\n\
A test letter to yourself shows the subject where it will be read: between forty others.",
    },
    Text {
        title: "What a preview cannot show",
        summary: "Mail programs disagree about nearly everything. What to check before you start.",
        tags: "Writing, Deliveries",
        alt: "An envelope over violet hills at first light",
        body: "A preview shows your words, the client's name and the order of things. It cannot show the window in which \
the letter will be read.\n\n\
- **Dark colours.** Many programs turn the page dark by themselves. Pictures with a white ground become bright boxes.\n\
- **No pictures.** They are often not loaded until somebody asks. The letter must say what it has to say without them.\n\
- **Plain text.** Every letter has it beside the page. Look at both before you start.",
    },
];

const RU: [Text; 4] = [
    Text {
        title: "Что отвечает сервер: 550, 451, 421",
        summary: "Судьбу письма решают три цифры. Что они значат и что делать с каждым ответом.",
        tags: "SMTP, Доставки",
        alt: "Конверт над красными холмами в сумерках",
        body: "Каждая попытка доставить письмо заканчивается ответом почтового сервера. Из трёх цифр важнее всего \
первая.\n\n\
| Ответ | Значение | Что делает Вестник |\n|---|---|---|\n\
| 2xx | принято | отмечает письмо отправленным |\n| 4xx | не сейчас | пробует позже |\n| 5xx | никогда | отмечает неудачу |\n\n\
## 550: такого здесь нет\n\nЯщика не существует, или сервер отказывает вам по своим правилам. Что именно, сказано в \
тексте за числом. Неверный адрес верным не станет: исправьте его в списке клиентов.\n\n\
```\n550 5.1.1 <anna@example.org>: Recipient address rejected: User unknown\n```\n\n\
## 451: зайдите позже\n\nЧасто это «серый список»: со второго раза сервер вас уже узнаёт. Делать ничего не нужно, он \
просит только подождать.\n\n\
## 421: линия закрывается\n\nСервер заканчивает разговор: занят или перезапускается. О самом письме он ничего не сказал, \
поэтому такая попытка не считается.",
    },
    Text {
        title: "Каждый месяц 31-го: что делать в феврале?",
        summary: "Расписание — это обещание. Как мы держим его в конце месяца и при переводе часов.",
        tags: "Расписание",
        alt: "Конверт над синими холмами ночью",
        body: "Рассылку начали 31 января и хотят повторять каждый месяц. Что будет в феврале?\n\n\
Честных ответов три: пропустить месяц, отправить 1 марта или отправить в последний день, какой есть. Мы выбрали последнее, \
и **каждая дата отсчитывается от самой первой**. Поэтому 31-е возвращается, как только оно есть в месяце:\n\n\
1. 31 января\n2. 28 февраля\n3. 31 марта\n4. 30 апреля\n\n\
Кто считает от предыдущей даты, получит 28 марта и останется на 28-м навсегда.\n\n\
## Часы\n\nВ 10:00 значит в 10:00 по часам на стене. Летом это другой миг, чем зимой, и письмо уходит по стенным часам. \
Если перевод перескочил как раз эту минуту, письмо уйдёт в первую минуту после него; если минута повторилась, уйдёт в \
первую из двух, и только раз.",
    },
    Text {
        title: "Письмо, которое ждут: пять правил темы",
        summary: "Откроют ли письмо, решает тема. Пять правил с примерами, о которых можно поспорить.",
        tags: "Тексты",
        alt: "Конверт над зелёными холмами утром",
        body: "1. **Скажите, что внутри.** «Часы работы в декабре» лучше, чем «Важная новость».\n\
2. **Главное слово — в начало.** На телефоне видно знаков тридцать.\n\
3. **Имя — только если вы сказали бы его вслух.** Имя в каждом письме уже не приветствие, а привычка.\n\
4. **Не обещайте того, чего не выполнит первая строка.**\n\
5. **Прочтите один раз чужими глазами.** Вы бы открыли?\n\n\
> Если тема не пишется, значит, тем две. Напишите два письма.\n\n\
Пробное письмо себе покажет тему там, где её будут читать: среди сорока других.",
    },
    Text {
        title: "Чего не видно в предпросмотре",
        summary: "Почтовые программы не сходятся почти ни в чём. Что проверить до начала рассылки.",
        tags: "Тексты, Доставки",
        alt: "Конверт над лиловыми холмами на рассвете",
        body: "Предпросмотр показывает ваши слова, имя клиента и порядок частей. Не видно в нём одного: окна, в котором \
письмо прочтут.\n\n\
- **Тёмные цвета.** Многие программы сами делают страницу тёмной. Картинки с белым фоном станут яркими пятнами.\n\
- **Без картинок.** Часто их не загружают, пока не попросят. Главное письмо должно сказать и без них.\n\
- **Простой текст.** Он есть у каждого письма рядом со страницей. Посмотрите на оба, прежде чем начать.",
    },
];
