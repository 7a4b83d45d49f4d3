//! What a schema defines beside tables, as the last part of a dump: views, routines, triggers and events under the settings each was
//! made with, as the servers' own dump programs write them.

use crate::host::database::{Object, ObjectKind, Objects};
use crate::sql::{quote_name, quote_text};
use std::collections::HashSet;
use std::fmt::Write;

/// Ends of statements that stand in no text, tried in turn.
const DELIMITERS: [&str; 4] = [";;", "//", "$$", "$end_of_object$"];
const SAVE: &str = "SET @saved_cs_client = @@character_set_client;\n\
                    SET @saved_cs_results = @@character_set_results;\n\
                    SET @saved_col_connection = @@collation_connection;\n\
                    SET @saved_sql_mode = @@sql_mode;\n\
                    SET @saved_time_zone = @@time_zone;\n";
const BACK: &str = "SET time_zone = @saved_time_zone;\n\
                    SET sql_mode = @saved_sql_mode;\n\
                    SET character_set_client = @saved_cs_client;\n\
                    SET character_set_results = @saved_cs_results;\n\
                    SET collation_connection = @saved_col_connection;\n";

/// The statements that define these objects, in an order in which a client that reads them once can run them.
pub fn statements(objects: &Objects) -> String {
    let mut text = String::from("\n-- Views, routines, triggers and events\n\n");
    let holds = |end: &&&str| objects.0.iter().any(|object| object.create.contains(**end));
    let end = DELIMITERS.iter().find(|end| !holds(end)).unwrap_or(&DELIMITERS[0]);
    let (views, others): (Vec<&Object>, Vec<&Object>) =
        objects.0.iter().partition(|object| object.kind == ObjectKind::View);
    let routines = others.iter().filter(|object| matches!(object.kind, ObjectKind::Function | ObjectKind::Procedure));
    let rest = others.iter().filter(|object| !matches!(object.kind, ObjectKind::Function | ObjectKind::Procedure));
    // Views may call functions; routines are not looked into before they run.
    for object in routines.copied().chain(in_order(&views)).chain(rest.copied()) {
        write_one(&mut text, object, end);
    }
    text.push_str("\n-- Dump completed\n");
    text
}

fn write_one(text: &mut String, object: &Object, end: &str) {
    // The text is UTF-8 here; an older character set can only be named where it reads the same.
    let same = (object.create.is_ascii() && !object.charset.is_empty()) || object.charset.starts_with("utf8");
    let charset = if same { object.charset.as_str() } else { "utf8mb4" };
    text.push_str(SAVE);
    let mut set = |name: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "SET {name} = {value};");
    };
    set("character_set_client", charset);
    set("character_set_results", charset);
    if !object.collation.is_empty() {
        set("collation_connection", &object.collation);
    }
    if object.kind != ObjectKind::View {
        set("sql_mode", &quote_text(&object.sql_mode));
    }
    if !object.time_zone.is_empty() {
        set("time_zone", &quote_text(&object.time_zone));
    }
    let (keyword, name) = (object.kind.keyword(), quote_name(&object.name));
    let _ =
        write!(text, "DELIMITER {end}\nDROP {keyword} IF EXISTS {name}{end}\n{}{end}\nDELIMITER ;\n", object.create);
    text.push_str(BACK);
}

/// Views after those that their text names. Where they name each other in a circle, which no server allows, any order is as good.
fn in_order<'a>(views: &[&'a Object]) -> Vec<&'a Object> {
    let mut left: Vec<&Object> = views.to_vec();
    let mut done = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waiting: HashSet<String> = left.iter().map(|view| quote_name(&view.name)).collect();
        let needs = |view: &Object| {
            let own = quote_name(&view.name);
            waiting.iter().any(|name| *name != own && view.create.contains(name.as_str()))
        };
        let (later, now): (Vec<&Object>, Vec<&Object>) = left.iter().partition(|view| needs(view));
        if now.is_empty() {
            done.extend(later);
            break;
        }
        done.extend(now);
        left = later;
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::tally::tally;

    fn object(kind: ObjectKind, name: &str, create: &str) -> Object {
        Object {
            kind,
            name: name.into(),
            table: String::new(),
            create: create.into(),
            sql_mode: "ANSI_QUOTES".into(),
            charset: "latin1".into(),
            collation: "latin1_swedish_ci".into(),
            time_zone: String::new(),
        }
    }

    #[test]
    fn views_come_after_what_they_name_and_every_object_is_found_again() {
        let objects = Objects(vec![
            object(ObjectKind::View, "a", "CREATE VIEW `a` AS select 1 from `b` join `c`"),
            object(ObjectKind::View, "b", "CREATE VIEW `b` AS select f() from `c`"),
            object(ObjectKind::View, "c", "CREATE VIEW `c` AS select 'ä;;'"),
            object(ObjectKind::Function, "f", "CREATE FUNCTION `f`() RETURNS int BEGIN RETURN 1; END"),
            object(ObjectKind::Trigger, "t", "CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW SET NEW.a = 1"),
        ]);
        let text = statements(&objects);
        let at = |needle: &str| text.find(needle).unwrap_or_else(|| panic!("{needle} in {text}"));
        assert!(at("FUNCTION `f`()") < at("VIEW `c` AS") && at("VIEW `c` AS") < at("VIEW `b` AS"));
        assert!(at("VIEW `b` AS") < at("VIEW `a` AS") && at("VIEW `a` AS") < at("TRIGGER t"));
        assert!(text.contains("DELIMITER //"), "{text}");
        assert_eq!(text.matches("character_set_client = utf8mb4;").count(), 1, "where the text is no ASCII");
        let found = tally(format!("CREATE TABLE x (a int);\n{text}").as_bytes()).unwrap();
        assert_eq!((found.objects, found.survey.refused), (5, Vec::new()));
    }
}
