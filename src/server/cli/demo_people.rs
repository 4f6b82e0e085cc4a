//! Invented people for `vestnik demo`: each call makes the same ones.

use crate::domain::lang::Lang;

/// Clients that each user of the demonstration has.
pub const PEOPLE: usize = 250;

/// Somebody who does not exist, at a domain that is reserved for examples (RFC 2606, section 3).
#[derive(Debug)]
pub struct Person {
    pub full_name: String,
    pub email: String,
}

const EN_FIRST: [&str; 50] = [
    "Alice",
    "Oliver",
    "Amelia",
    "George",
    "Beatrice",
    "Harry",
    "Charlotte",
    "Jack",
    "Chloe",
    "Leo",
    "Clara",
    "Noah",
    "Daisy",
    "Oscar",
    "Eleanor",
    "Theodore",
    "Emily",
    "Arthur",
    "Evelyn",
    "Henry",
    "Florence",
    "Thomas",
    "Freya",
    "Edward",
    "Grace",
    "Samuel",
    "Hannah",
    "Daniel",
    "Isabel",
    "Joseph",
    "Ivy",
    "Adam",
    "Jessica",
    "Benjamin",
    "Laura",
    "David",
    "Lily",
    "Ethan",
    "Lucy",
    "Finley",
    "Margaret",
    "Gabriel",
    "Matilda",
    "Isaac",
    "Naomi",
    "Julian",
    "Rosie",
    "Michael",
    "Sophie",
    "Patrick",
];

const EN_LAST: [&str; 50] = [
    "Adams",
    "Atkinson",
    "Bailey",
    "Barker",
    "Bennett",
    "Bishop",
    "Brooks",
    "Carter",
    "Chapman",
    "Clarke",
    "Collins",
    "Cooper",
    "Davies",
    "Dixon",
    "Edwards",
    "Ellis",
    "Evans",
    "Fisher",
    "Foster",
    "Gibson",
    "Graham",
    "Griffiths",
    "Harding",
    "Harrison",
    "Hughes",
    "Hunter",
    "Jenkins",
    "Kelly",
    "Knight",
    "Lawson",
    "Lloyd",
    "Marshall",
    "Mason",
    "Mitchell",
    "Murphy",
    "Palmer",
    "Parker",
    "Pearson",
    "Reynolds",
    "Richards",
    "Russell",
    "Saunders",
    "Shaw",
    "Simpson",
    "Spencer",
    "Turner",
    "Walsh",
    "Watson",
    "Webb",
    "Wright",
];

/// Women's names stand at even places, men's at odd ones.
const RU_FIRST: [(&str, &str); 50] = [
    ("Анна", "anna"),
    ("Александр", "aleksandr"),
    ("Мария", "maria"),
    ("Дмитрий", "dmitry"),
    ("Елена", "elena"),
    ("Сергей", "sergey"),
    ("Ольга", "olga"),
    ("Андрей", "andrey"),
    ("Наталья", "natalya"),
    ("Алексей", "aleksey"),
    ("Екатерина", "ekaterina"),
    ("Максим", "maksim"),
    ("Татьяна", "tatyana"),
    ("Иван", "ivan"),
    ("Ирина", "irina"),
    ("Михаил", "mikhail"),
    ("Светлана", "svetlana"),
    ("Николай", "nikolay"),
    ("Юлия", "yulia"),
    ("Евгений", "evgeny"),
    ("Дарья", "darya"),
    ("Павел", "pavel"),
    ("Полина", "polina"),
    ("Роман", "roman"),
    ("Ксения", "ksenia"),
    ("Владимир", "vladimir"),
    ("Алина", "alina"),
    ("Артём", "artem"),
    ("Вера", "vera"),
    ("Илья", "ilya"),
    ("Надежда", "nadezhda"),
    ("Кирилл", "kirill"),
    ("Галина", "galina"),
    ("Виктор", "viktor"),
    ("Людмила", "lyudmila"),
    ("Константин", "konstantin"),
    ("Марина", "marina"),
    ("Пётр", "petr"),
    ("Софья", "sofya"),
    ("Григорий", "grigory"),
    ("Валентина", "valentina"),
    ("Егор", "egor"),
    ("Виктория", "viktoria"),
    ("Степан", "stepan"),
    ("Алёна", "alena"),
    ("Тимофей", "timofey"),
    ("Лариса", "larisa"),
    ("Фёдор", "fedor"),
    ("Варвара", "varvara"),
    ("Юрий", "yury"),
];

/// Men's surnames; a woman's has one more "а".
const RU_LAST: [(&str, &str); 50] = [
    ("Алексеев", "alekseev"),
    ("Андреев", "andreev"),
    ("Антонов", "antonov"),
    ("Баранов", "baranov"),
    ("Белов", "belov"),
    ("Богданов", "bogdanov"),
    ("Борисов", "borisov"),
    ("Васильев", "vasilyev"),
    ("Виноградов", "vinogradov"),
    ("Волков", "volkov"),
    ("Воробьёв", "vorobyov"),
    ("Голубев", "golubev"),
    ("Григорьев", "grigoryev"),
    ("Гусев", "gusev"),
    ("Данилов", "danilov"),
    ("Егоров", "egorov"),
    ("Жуков", "zhukov"),
    ("Зайцев", "zaytsev"),
    ("Захаров", "zakharov"),
    ("Ильин", "ilyin"),
    ("Калинин", "kalinin"),
    ("Киселёв", "kiselyov"),
    ("Ковалёв", "kovalyov"),
    ("Козлов", "kozlov"),
    ("Комаров", "komarov"),
    ("Королёв", "korolyov"),
    ("Кузнецов", "kuznetsov"),
    ("Лебедев", "lebedev"),
    ("Макаров", "makarov"),
    ("Медведев", "medvedev"),
    ("Миронов", "mironov"),
    ("Морозов", "morozov"),
    ("Никитин", "nikitin"),
    ("Новиков", "novikov"),
    ("Орлов", "orlov"),
    ("Павлов", "pavlov"),
    ("Петухов", "petukhov"),
    ("Поляков", "polyakov"),
    ("Романов", "romanov"),
    ("Савельев", "savelyev"),
    ("Семёнов", "semyonov"),
    ("Смирнов", "smirnov"),
    ("Соколов", "sokolov"),
    ("Соловьёв", "solovyov"),
    ("Степанов", "stepanov"),
    ("Тарасов", "tarasov"),
    ("Титов", "titov"),
    ("Фомин", "fomin"),
    ("Фролов", "frolov"),
    ("Щербаков", "shcherbakov"),
];

/// [`PEOPLE`] different people with different addresses.
pub fn people(lang: Lang) -> impl Iterator<Item = Person> {
    (0..PEOPLE).map(move |n| {
        let first = n % 50;
        // A first name comes back after 50 people, and then with the next surname.
        let last = (first * 7 + n / 50) % 50;
        match lang {
            Lang::En => english(n, first, last),
            Lang::Ru => russian(n, first, last),
        }
    })
}

fn english(n: usize, first: usize, last: usize) -> Person {
    let (first, last) = (EN_FIRST[first], EN_LAST[last]);
    let email = address(n, &first.to_lowercase(), &last.to_lowercase());
    Person { full_name: format!("{first} {last}"), email }
}

fn russian(n: usize, first: usize, last: usize) -> Person {
    let (ending, latin_ending) = if first.is_multiple_of(2) { ("а", "a") } else { ("", "") };
    let ((name, first), (surname, last)) = (RU_FIRST[first], RU_LAST[last]);
    let email = address(n, first, &format!("{last}{latin_ending}"));
    Person { full_name: format!("{name} {surname}{ending}"), email }
}

fn address(n: usize, first: &str, last: &str) -> String {
    match n % 4 {
        0 | 1 => format!("{first}.{last}@example.org"),
        2 => format!("{last}.{first}@example.net"),
        _ => format!("{first}_{last}@example.net"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_and_addresses_are_all_different() {
        for lang in Lang::ALL {
            let people: Vec<_> = people(lang).collect();
            let names: HashSet<_> = people.iter().map(|person| &person.full_name).collect();
            let emails: HashSet<_> = people.iter().map(|person| &person.email).collect();
            assert_eq!((names.len(), emails.len()), (PEOPLE, PEOPLE));
            assert!(people.iter().all(|person| {
                person.email.is_ascii()
                    && (person.email.ends_with("@example.org") || person.email.ends_with("@example.net"))
            }));
        }
    }

    #[test]
    fn a_womans_surname_ends_as_a_womans() {
        let names: Vec<_> = people(Lang::Ru).map(|person| person.full_name).take(2).collect();
        assert_eq!(names, ["Анна Алексеева", "Александр Васильев"]);
    }
}
