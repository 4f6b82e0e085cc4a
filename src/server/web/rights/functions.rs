//! The server functions.

use super::rule::{
    ALL, CHOSEN, Idle, No, OWNERS, Row, Rule, SHARED, Who, Yes, admins, editors, everyone, managers, read, read_all,
    seen, users, write,
};

/// Links in letters are for whoever holds them, and nothing of somebody who is blocked changes by one.
const fn link() -> Rule {
    everyone([Yes, Yes, No(409)]).but(Who::Blocked, [No(422), Yes, No(409)])
}

/// The same for an account that waits; nobody else's has such a link.
const fn waiting_link() -> Rule {
    everyone([No(409), No(409), No(409)])
        .but(Who::Unconfirmed, [Yes, No(409), No(409)])
        .but(Who::Blocked, [No(422), No(409), No(409)])
}

/// Where two things are named, `{mine.…}` is the asker's own: the other one alone decides.
pub const FUNCTIONS: &[Row] = &[
    // Accounts.
    read("session", everyone(ALL), ""),
    write("signup", everyone(ALL), "form[email]={fresh}@example.org"),
    // There are administrators here.
    write(
        "setup",
        everyone([No(409); 3]),
        "form[name]=Eve&form[email]=eve@example.org&form[password]=a long password&form[zone]=UTC&form[setup]=nosuch",
    ),
    read("check_link", everyone([Yes, Yes, No(409)]), "kind=reset&token={reset}"),
    write(
        "confirm",
        waiting_link(),
        "form[token]={confirm}&form[name]=Eve&form[password]=a new long password&form[zone]=UTC",
    ),
    write("resend", everyone([Yes, Yes, Idle]), "form[email]={email}"),
    write("forgot", everyone([Yes, Yes, Idle]), "form[email]={email}"),
    write("reset", link(), "form[token]={reset}&form[password]=a new long password"),
    write(
        "login",
        everyone([Yes, Yes, No(422)])
            .but(Who::Unconfirmed, [No(422), Yes, No(422)])
            .but(Who::Blocked, [No(422), Yes, No(422)]),
        "form[email]={email}&form[password]={password}&form[next]=",
    ),
    // Nobody here is halfway in.
    write("code", everyone([No(401); 3]), "form[code]=123456"),
    // One's own account.
    read("profile/get", users(ALL), ""),
    write("profile/save", users(ALL), "form[name]=New&form[lang]=en&form[theme]=dark&form[zone]=UTC"),
    write("profile/email/ask", users(ALL), "form[email]={fresh}@example.org&form[password]={password}"),
    write("profile/email/take", link(), "token={move}"),
    write("profile/email/revoke", link(), "token={revoke}"),
    write("profile/password", users(ALL), "form[old_password]={password}&form[new_password]=a new long password"),
    read("sessions/list", users(ALL), ""),
    write("sessions/end", users(OWNERS), "form[id]={session}"),
    write("sessions/end/others", users(ALL), ""),
    write("sessions/end/all", users(ALL), ""),
    read("second_factor/get", users(ALL), ""),
    write("second_factor/begin", users(ALL), "form[password]={password}"),
    // None is being set up.
    write("second_factor/confirm", users([No(409); 3]), "form[code]=123456"),
    write("second_factor/end", users(ALL), "form[password]={password}"),
    read("profile/counts", users(ALL), ""),
    write("profile/delete", users(ALL), "form[password]={password}"),
    read("profile/notices", users(ALL), ""),
    write("profile/notices/save", users(ALL), "form[paused]=true"),
    // Clients.
    read("clients/list", users(ALL), "search=&sort=&after="),
    read("clients/get", users(OWNERS), "id={client}"),
    read("suppressions/client", users(OWNERS), "id={client}"),
    read("suppressions/list", users(ALL), "search=&reason=&ended=&after="),
    read("suppressions/get", users(OWNERS), "id={suppression}"),
    write("suppressions/add", users(ALL), "form[email]={fresh}@example.org&form[reason]=asked"),
    write("suppressions/lift", users(OWNERS), "form[id]={suppression}&form[reason]=asked"),
    read("suppressions/import", users(OWNERS), "id={ledger_import}"),
    // A file of clients is none of the ledger.
    read("suppressions/import", users([No(404); 3]), "id={import}"),
    write(
        "suppressions/import/start",
        users(OWNERS),
        "form[id]={ledger_import}&form[email]=0&form[first_is_data]=false&form[encoding]=utf-8",
    ),
    // It has not run: nothing of it is there.
    write(
        "suppressions/import/lift",
        users([No(409), No(404), No(404)]),
        "form[id]={ledger_import}&form[reason]=wrong file",
    ),
    write("clients/save", users(ALL), "form[id]=0&form[email]={fresh}@example.org&form[full_name]=&form[comment]="),
    write("clients/save", users(OWNERS), "form[id]={client}&form[email]={fresh}@example.org&form[full_name]=A"),
    write("clients/delete", users(CHOSEN), "form[ids][0]={client}&form[all]=false&form[q]="),
    // A selection of nobody is made of another's clients.
    write("clients/pick", users(ALL), "form[ids][0]={client}&form[all]=false&form[q]="),
    read("clients/doubles/count", users(ALL), ""),
    read("clients/doubles", users(ALL), "after="),
    write("clients/doubles/join", users(ALL), "form[n]=0"),
    read("clients/import", users(OWNERS), "id={import}"),
    read("clients/import/limit", users(ALL), ""),
    write(
        "clients/import/start",
        users(OWNERS),
        "form[id]={import}&form[email]=0&form[full_name]=&form[comment]=&form[first_is_data]=false\
         &form[encoding]=utf-8&form[duplicates]=skip",
    ),
    // Messages.
    read("messages/list", users(ALL), "search=&sort=&after="),
    read("messages/get", users(OWNERS), "id={message}"),
    write("messages/save", users(ALL), "form[id]=0&form[subject]=New&form[body]=New"),
    write("messages/save", users(OWNERS), "form[id]={message}&form[subject]=New&form[body]=New"),
    write("messages/delete", users(OWNERS), "id={message}"),
    write("messages/delete/chosen", users(CHOSEN), "form[ids][0]={message}"),
    write("messages/duplicate", users(OWNERS), "id={message}"),
    // Of another's design a form says that it is none.
    write(
        "messages/save",
        users([Yes, No(422), No(422)]),
        "form[id]=0&form[subject]=New&form[body]=New&form[design]={design}",
    ),
    read("messages/preview", users([Yes, No(422), No(422)]), "form[subject]=A&form[body]=B&form[design]={design}"),
    read("messages/preview", users(OWNERS), "form[subject]=A&form[body]=B&client={client}"),
    read("messages/preview/clients", users(ALL), "search="),
    // Designs.
    read("designs/list", users(ALL), ""),
    read("designs/get", users(OWNERS), "id={design}"),
    read("designs/begin", users(ALL), "word=bakery"),
    write("designs/save", users(ALL), NEW_DESIGN),
    write("designs/save", users(OWNERS), CHANGED_DESIGN),
    write("designs/delete", users(OWNERS), "id={design}"),
    read("designs/preview", users(ALL), NEW_DESIGN),
    // The mail server of these tests does not answer.
    write(
        "messages/test",
        users([No(422), No(404), No(404)]),
        "form[id]=0&form[subject]=A&form[body]=B&client={client}",
    ),
    // Topics.
    read("topics/list", users(ALL), ""),
    read("topics/get", users(OWNERS), "id={topic}"),
    write("topics/save", users(ALL), "form[id]=0&form[name]={fresh}"),
    write("topics/save", users(OWNERS), "form[id]={topic}&form[name]={fresh}"),
    write("topics/delete", users(OWNERS), "form[id]={topic}"),
    read("topics/client", users(OWNERS), "id={client}"),
    write(
        "topics/choose",
        users(OWNERS),
        "form[client]={client}&form[shown][0]={mine.topic}&form[topics][0]={mine.topic}",
    ),
    // The first page.
    read("overview", users(ALL), "of=own"),
    read_all("overview", managers(ALL), "of=all"),
    read("calendar", users(ALL), "of=own&month=&day="),
    read_all("calendar", managers(ALL), "of=all&month=&day="),
    read("overview/running", users(ALL), "all=false"),
    read_all("overview/running", managers(ALL), "all=true"),
    // Mailings.
    read("mailings/audience", users(CHOSEN), "kind=all&search=&selection=0&topic={topic}"),
    read("mailings/list", users(ALL), "filter[search]=&filter[state]=&filter[sort]=&filter[after]="),
    read("mailings/look", users(CHOSEN), "ids[0]={mailing}"),
    read("mailings/get", seen(), "id={mailing}"),
    read("mailings/draft", users(OWNERS), "id={mailing}&copy=false"),
    read("mailings/draft", users(OWNERS), "id={mailing}&copy=true"),
    read("mailings/review", users(CHOSEN), NEW_WITH_MESSAGE),
    read("mailings/review", users(CHOSEN), NEW_WITH_SELECTION),
    read("mailings/review", users(OWNERS), CHANGED),
    read("mailings/audience", users(CHOSEN), "kind=picked&search=&selection={selection}"),
    read("zones", users(ALL), ""),
    write("mailings/save", users([Yes, No(422), No(422)]), NEW_WITH_MESSAGE),
    write("mailings/save", users([Yes, No(422), No(422)]), NEW_WITH_SELECTION),
    write("mailings/save", users(OWNERS), CHANGED),
    write("mailings/pause", users(OWNERS), "form[id]={mailing}"),
    write("mailings/resume", users(OWNERS), "form[id]={mailing}"),
    write("mailings/delete", users(OWNERS), "form[id]={mailing}"),
    write("mailings/pause/chosen", users(CHOSEN), "form[ids][0]={mailing}"),
    write("mailings/resume/chosen", users(CHOSEN), "form[ids][0]={mailing}"),
    write("mailings/delete/chosen", users(CHOSEN), "form[ids][0]={mailing}"),
    read("mailings/review/beside", users(CHOSEN), REVIEWED),
    read("mailings/review/beside", users(OWNERS), CHANGED_REVIEWED),
    read(
        "mailings/deliveries",
        seen(),
        "filter[mailing]={mailing}&filter[run]={run}&filter[state]=&filter[search]=&filter[after]=",
    ),
    read(
        "mailings/deliveries",
        seen(),
        "filter[mailing]={mailing}&filter[run]=0&filter[state]=&filter[search]=&filter[after]=",
    ),
    read(
        "mailings/deliveries",
        users(OWNERS),
        "filter[mailing]={mine.mailing}&filter[run]={run}&filter[state]=&filter[search]=&filter[after]=",
    ),
    read("mailings/delivery", seen(), "mailing={mailing}&delivery={delivery}"),
    read("mailings/delivery", users(OWNERS), "mailing={mine.mailing}&delivery={delivery}"),
    write(
        "mailings/deliveries/decide",
        users(OWNERS),
        "form[mailing]={mailing}&form[delivery]={delivery}&form[verdict]=arrived",
    ),
    write(
        "mailings/deliveries/decide",
        users(OWNERS),
        "form[mailing]={mailing}&form[run]={run}&form[n]=1&form[verdict]=resend",
    ),
    write(
        "mailings/deliveries/decide",
        users(OWNERS),
        "form[mailing]={mine.mailing}&form[delivery]={delivery}&form[verdict]=resend",
    ),
    write(
        "mailings/deliveries/decide",
        users(OWNERS),
        "form[mailing]={mine.mailing}&form[run]={run}&form[n]=1&form[verdict]=arrived",
    ),
    read("mailings/missed", users(OWNERS), "mailing={mailing}&run={run}"),
    read("mailings/missed", users(CHOSEN), "mailing={mine.mailing}&run={run}"),
    // Its run is still open.
    write(
        "mailings/missed/send",
        users([No(409), No(404), No(404)]),
        "form[mailing]={mailing}&form[run]={run}&form[n]=1",
    ),
    // A copy of another's selection is empty.
    write("mailings/picks/start", users(ALL), "form[selection]={selection}"),
    read("mailings/picks/list", users(CHOSEN), "selection={selection}&search=&after="),
    write(
        "mailings/picks/change",
        users([Yes, No(409), No(409)]),
        "form[selection]={selection}&form[all]=put&form[q]=",
    ),
    // Another's clients are not taken into one's own.
    write("mailings/picks/change", users(CHOSEN), "form[selection]={mine.selection}&form[ids][0]={client}"),
    // What was caught on this machine. Others may reach it, so it is for administrators; `proxies` tries who else is.
    read_all("outbox/list", admins(ALL), "search="),
    read_all("outbox/get", admins(SHARED), "id={letter}"),
    // Reports.
    read("reports/get", users(ALL), "from=&to="),
    // Managers see all, stop, and edit nothing.
    read_all("users/list", managers(ALL), "filter[search]=&filter[role]=&filter[state]=&filter[after]="),
    read_all("users/get", managers(SHARED), "id={user}"),
    write("users/block", managers([No(409), Yes, No(404)]), "form[id]={user}&form[reason]=Spam"),
    write("users/block", managers([No(409), No(409), No(404)]), "form[id]={admin}&form[reason]=Spam"),
    write("users/block", managers([No(409), No(409), No(404)]), "form[id]={stopped}&form[reason]=Spam"),
    write("users/unblock", managers(SHARED), "form[id]={stopped}"),
    write("users/unblock", managers([No(409), No(409), No(404)]), "form[id]={user}"),
    write("users/role", admins([No(409), Yes, No(404)]), "form[id]={user}&form[role]=editor"),
    read_all("audit/list", managers(ALL), "filter[search]=&filter[act]=&filter[after]="),
    read_all(
        "oversight/mailings",
        managers(ALL),
        "filter[search]=&filter[owner]=0&filter[status]=&filter[period]=&filter[after]=",
    ),
    write("oversight/disable", managers(SHARED), "form[id]={mailing}&form[reason]=Spam"),
    write("oversight/enable", managers(SHARED), "form[id]={disabled}"),
    // The blog: read by all, written by editors, whoever wrote the post.
    read_all("home", everyone(ALL), ""),
    read_all(
        "blog/list",
        everyone(ALL),
        "question[lang]=all&question[tag]=&question[search]=&question[after]=&question[before]=",
    ),
    read_all("blog/post", everyone(SHARED), "slug={slug}"),
    read_all("posts/list", editors(ALL), "search=&state=&after="),
    read_all("posts/edit", editors(ALL), "id=0"),
    read_all("posts/edit", editors(SHARED), "id={post}"),
    write("posts/save", editors(ALL), "form[id]=0&form[title]=New&form[body]=New&form[lang]=en&form[publish]=draft"),
    write(
        "posts/save",
        editors(SHARED),
        "form[id]={post}&form[version]=1&form[title]=New&form[body]=New&form[lang]=en&form[publish]=now",
    ),
    write("posts/keep", editors(SHARED), "form[id]={post}&form[title]=N&form[body]=N&form[lang]=en&form[publish]=now"),
    write("posts/discard", editors(ALL), "id={post}"),
    read_all("posts/preview", editors(ALL), "body=New"),
    write("posts/delete", editors(SHARED), "id={post}"),
    write("posts/message", editors(SHARED), "id={post}"),
    read_all("posts/history", editors(SHARED), "id={post}"),
    write("posts/restore", editors([Yes, Yes, No(404)]), "id={post}&version=1&current=1"),
    read_all("posts/merge", editors(OWNERS), "id={post}"),
    read("posts/images", users(ALL), "after="),
    write("posts/images/delete", users(OWNERS), "id={image}"),
    // Settings, and who is invited. An invitation is followed by whoever holds the letter.
    read_all("settings/get", admins(ALL), ""),
    write(
        "settings/save",
        admins(ALL),
        "form[sender_name]=News&form[sender_email]=news@example.org&form[registration]=open&form[clients]=&form[letters]=",
    ),
    write("users/limits", admins(SHARED), "form[id]={user}&form[clients]=10&form[letters]=20"),
    read_all("invitations/list", admins(ALL), "after="),
    write("invitations/send", admins(ALL), "form[email]={fresh}@example.org&form[role]=user"),
    write("invitations/revoke", admins(SHARED), "form[id]={invitation}"),
    read_all("invitations/look", everyone([Yes, Yes, No(409)]), "token={invited}"),
    write(
        "invitations/accept",
        everyone([Yes, Yes, No(409)]),
        "form[token]={invited}&form[name]=Eve&form[password]=a new long password&form[zone]=UTC",
    ),
    read_all("returns/unmatched", admins(ALL), "after="),
    // An examination runs in the background and is kept in memory.
    read_all("doctor/look", admins(ALL), ""),
    read_all("doctor/check", admins(ALL), ""),
    // Mail servers.
    read_all("relays/list", admins(ALL), ""),
    read_all("relays/get", admins(SHARED), "id={relay}"),
    write("relays/save", admins(ALL), "form[id]=0&form[name]={fresh}&form[host]=mx.example.org"),
    write("relays/save", admins(SHARED), "form[id]={relay}&form[name]={fresh}&form[host]=mx.example.org"),
    read_all("relays/try", admins(ALL), "form[id]=0&form[name]=A&form[host]=127.0.0.1&form[port]=9"),
    read_all("relays/test", admins(SHARED), "id={relay}"),
    write("relays/switch", admins(SHARED), "id={relay}&enabled=false"),
    write("relays/resume", admins(SHARED), "id={relay}"),
    write("relays/remove", admins(SHARED), "id={relay}"),
];

const NEW_DESIGN: &str = "form[id]=0&form[name]=New&form[accent]=#a43e1b&form[text]=#3d2b1f&form[paper]=#ffffff\
    &form[background]=#ffffff&form[font]=serif&form[radius]=8&form[header]=band";
const CHANGED_DESIGN: &str = "form[id]={design}&form[name]=New&form[accent]=#a43e1b&form[text]=#3d2b1f\
    &form[paper]=#ffffff&form[background]=#ffffff&form[font]=serif&form[radius]=8&form[header]=band";
const NEW_WITH_MESSAGE: &str = "form[message]={message}&form[title]={mine.client}&form[clients]=search&form[search]=example&form[start]=2026-02-01T10:00\
     &form[end]=2026-03-01T10:00&form[zone]=UTC&form[period]=once&form[policy]=hold";
const NEW_WITH_SELECTION: &str = "form[message]={mine.message}&form[clients]=picked&form[selection]={selection}\
     &form[start]=2026-02-01T10:00&form[end]=2026-03-01T10:00&form[zone]=UTC&form[period]=once&form[policy]=hold";
const REVIEWED: &str = "letters=1&form[message]={mine.message}&form[clients]=picked&form[selection]={selection}\
     &form[start]=2026-02-01T10:00&form[end]=2026-03-01T10:00&form[zone]=UTC&form[period]=once&form[policy]=hold";
const CHANGED_REVIEWED: &str = "letters=1&form[id]={mailing}&form[message]={mine.message}&form[clients]=all\
     &form[start]=2026-02-01T10:00&form[end]=2026-12-31T10:00&form[zone]=UTC&form[period]=daily&form[policy]=hold";
const CHANGED: &str = "form[id]={mailing}&form[message]={mine.message}&form[clients]=all&form[start]=2026-02-01T10:00\
     &form[end]=2026-12-31T10:00&form[zone]=UTC&form[period]=daily&form[policy]=hold";
