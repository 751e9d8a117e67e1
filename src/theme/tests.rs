//! Themes: files, fallbacks, degradation and the contrast of what is shipped.

use std::collections::HashSet;

use super::*;
use crate::stdx::text::width;

fn none(_: &str) -> Option<&'static str> {
    None
}

fn complaint(text: &'static str) -> String {
    Theme::parse("my.toml", text, &none).unwrap_err().to_string()
}

#[test]
fn no_chain_of_fallbacks_is_circular_and_all_end_at_text() {
    for role in Role::ALL {
        let chain: Vec<Role> =
            std::iter::successors(Some(*role), |r| r.fallback()).take(Role::ALL.len() + 1).collect();
        assert!(chain.len() <= Role::ALL.len(), "{role:?} falls back in a circle");
        assert_eq!(chain.last(), Some(&Role::Text), "{role:?}");
    }
}

#[test]
fn names_of_roles_are_unique_and_found() {
    let names: HashSet<&str> = Role::ALL.iter().map(|role| role.name()).collect();
    assert_eq!(names.len(), Role::ALL.len());
    for role in Role::ALL {
        assert_eq!(Role::named(role.name()), Some(*role));
    }
}

#[test]
fn shipped_themes_load() {
    for name in Theme::names() {
        let text = Theme::shipped(name).unwrap();
        let theme = Theme::parse(&format!("{name}.toml"), text, &none).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(theme.name, name);
        assert!(!theme.description.is_empty(), "{name}");
    }
    assert_eq!(Theme::default().name, "terminal");
}

#[test]
fn the_terminal_theme_uses_the_terminals_own_colours_only() {
    let theme = Theme::default();
    for role in Role::ALL {
        let style = theme.style(*role);
        for color in [style.fg, style.bg] {
            assert!(matches!(color, Color::Default | Color::Ansi(_)), "{role:?}");
        }
    }
}

#[test]
fn a_role_without_a_style_looks_like_its_fallback() {
    let theme = Theme::parse("my.toml", "[roles]\nwarn = \"yellow\"", &none).unwrap();
    assert_eq!(theme.style(Role::LogError), theme.style(Role::Warn));
    assert_eq!(theme.style(Role::Warn).fg, Color::Ansi(3));
    assert_eq!(theme.style(Role::Ok), Style::default());
}

#[test]
fn what_falls_back_to_text_lies_on_the_screen_and_does_not_paint_it() {
    let text = "[roles]\ntext = { fg = \"#ffffff\", bg = \"#000000\" }";
    let theme = Theme::parse("my.toml", text, &none).unwrap();
    assert_eq!(theme.style(Role::Text).bg, Color::Rgb(0, 0, 0));
    assert_eq!(theme.style(Role::Code), Style { fg: Color::Rgb(255, 255, 255), ..Style::default() });
}

#[test]
fn a_childs_palette_recolours_what_it_inherits() {
    let parent = "[palette]\nink = \"#111111\"\n[roles]\ntext = \"ink\"\nok = { fg = \"ink\", bold = true }";
    let child = "inherits = \"base\"\n[palette]\nink = \"#222222\"\n[roles]\nok = \"green\"";
    let theme = Theme::parse("child.toml", child, &|name| (name == "base").then_some(parent)).unwrap();
    assert_eq!(theme.style(Role::Text).fg, Color::Rgb(0x22, 0x22, 0x22));
    assert_eq!(theme.style(Role::Ok), Style { fg: Color::Ansi(2), ..Style::default() });
}

#[test]
fn a_user_theme_may_build_on_the_shipped_one_of_its_name() {
    let mine = "inherits = \"terminal\"\n[roles]\nok = \"blue\"";
    let theme = Theme::parse("terminal.toml", mine, &|name| (name == "terminal").then_some(mine)).unwrap();
    assert_eq!(theme.style(Role::Ok).fg, Color::Ansi(4));
    assert_eq!(theme.style(Role::Critical), Theme::default().style(Role::Critical));
}

#[test]
fn mistakes_name_file_line_and_key() {
    assert_eq!(
        complaint("[roles]\nselektion = \"red\""),
        "my.toml, line 2, roles.selektion: there is no role `selektion`; did you mean `selection`?"
    );
    assert_eq!(
        complaint("\n[roles]\nok = { fg = \"grün\" }"),
        "my.toml, line 3, roles.ok.fg: `grün` is not a colour; write \"#rrggbb\", \"ansi:0\" to \"ansi:15\", \
         \"indexed:0\" to \"indexed:255\", \"default\", a terminal colour such as \"bright-blue\", or a name of \
         [palette]"
    );
    for bad in ["#12345", "#12345g", "#1234é", "ansi:16", "indexed:256", "", "#"] {
        let text = format!("[roles]\nok = \"{bad}\"");
        let error = Theme::parse("my.toml", text.clone().leak(), &none).unwrap_err().to_string();
        assert!(error.starts_with(&format!("my.toml, line 2, roles.ok: `{bad}` is not a colour")), "{error}");
    }
    assert!(complaint("colour = 1").starts_with("my.toml, line 1, colour: there is no setting `colour`"));
    assert!(complaint("[roles]\nok = 7").contains("line 2, roles.ok: this is a whole number"));
    assert!(
        complaint("[roles]\nok = { weight = 7 }").contains("line 2, roles.ok.weight: there is no setting")
    );
    assert!(
        complaint("[palette]\na = \"b\"").starts_with("my.toml, line 2, palette.a: `b` is not a colour"),
        "a palette holds colours, not names of itself"
    );
}

#[test]
fn inheritance_in_a_circle_or_from_nowhere_is_told() {
    let find = |name: &str| match name {
        "a" => Some("inherits = \"b\""),
        "b" => Some("inherits = \"a\""),
        _ => None,
    };
    let error = Theme::parse("a.toml", "inherits = \"b\"", &find).unwrap_err().to_string();
    assert_eq!(error, "b.toml, line 1, inherits: themes inherit in a circle: a → b → a");
    let error = Theme::parse("x.toml", "inherits = \"x\"", &none).unwrap_err().to_string();
    assert_eq!(error, "x.toml, line 1, inherits: themes inherit in a circle: x → x");
    assert!(complaint("inherits = \"terminol\"").ends_with("did you mean `terminal`?"));
}

#[test]
fn colours_degrade_to_the_nearest() {
    assert_eq!(Color::Rgb(255, 0, 0).degrade(Depth::Indexed), Color::Indexed(196));
    assert_eq!(Color::Rgb(8, 8, 8).degrade(Depth::Indexed), Color::Indexed(232));
    assert_eq!(Color::Rgb(250, 10, 10).degrade(Depth::Sixteen), Color::Ansi(9));
    assert_eq!(Color::Indexed(196).degrade(Depth::Sixteen), Color::Ansi(9));
    assert_eq!(Color::Indexed(196).degrade(Depth::Indexed), Color::Indexed(196));
    assert_eq!(Color::Ansi(3).degrade(Depth::Rgb), Color::Ansi(3));
    assert_eq!(Color::Rgb(1, 2, 3).degrade(Depth::None), Color::Default);
    assert_eq!(Color::Indexed(255).rgb(), Some((238, 238, 238)));
    assert_eq!(Color::Indexed(16 + 36 + 12 + 3).rgb(), Some((95, 135, 175)));
}

#[test]
fn without_colour_a_marked_background_is_reversed_and_the_screen_is_not() {
    let text = "[roles]\ntext = { fg = \"#eeeeee\", bg = \"#111111\" }\nselection = { bg = \"#333333\" }";
    let theme = Theme::parse("my.toml", text, &none).unwrap().with_depth(Depth::None);
    assert_eq!(theme.style(Role::Text), Style::default());
    assert_eq!(theme.style(Role::Selection), Style { reverse: true, ..Style::default() });
}

#[test]
fn no_shipped_theme_writes_in_the_colour_of_its_ground_at_any_depth() {
    for theme in Theme::builtins() {
        for depth in [Depth::Rgb, Depth::Indexed, Depth::Sixteen] {
            let theme = theme.clone().with_depth(depth);
            let screen = theme.style(Role::Text);
            for role in Role::ALL {
                let seen = theme.style(*role).over(screen);
                assert!(
                    seen.fg != seen.bg || seen.fg == Color::Default,
                    "{} {depth:?} {role:?}: {seen:?}",
                    theme.name
                );
            }
        }
    }
}

#[test]
fn severities_differ_without_colour_and_in_every_theme() {
    let roles = [Role::Ok, Role::Progress, Role::Warn, Role::Critical];
    for theme in Theme::builtins() {
        let seen: HashSet<Style> = roles.iter().map(|role| theme.style(*role)).collect();
        assert_eq!(seen.len(), roles.len(), "{}", theme.name);
        let bare = theme.clone().with_depth(Depth::None);
        let plain = bare.style(Role::Text);
        for role in [Role::Selection, Role::HeaderProduction, Role::Critical, Role::TabActive] {
            assert_ne!(bare.style(role), plain, "{} {role:?} is lost without colour", theme.name);
        }
    }
    for glyphs in [Glyphs::UNICODE, Glyphs::ASCII] {
        let signs =
            [glyphs.critical, glyphs.warning, glyphs.progress, glyphs.unknown, glyphs.ok, glyphs.idle];
        assert_eq!(signs.iter().collect::<HashSet<_>>().len(), signs.len());
    }
}

#[test]
fn depth_follows_the_environments_promises() {
    let cases = [
        (None, Some("xterm-256color"), None, Depth::Indexed),
        (Some("truecolor"), Some("xterm-256color"), None, Depth::Rgb),
        (Some("truecolor"), Some("xterm-256color"), Some("1"), Depth::None),
        (Some("truecolor"), Some("xterm-256color"), Some(""), Depth::Rgb),
        (Some("truecolor"), Some("screen-256color"), None, Depth::Indexed),
        (Some("truecolor"), Some("tmux-256color"), None, Depth::Rgb),
        (None, Some("xterm-kitty"), None, Depth::Rgb),
        (None, Some("xterm-direct"), None, Depth::Rgb),
        (None, Some("xterm"), None, Depth::Sixteen),
        (None, Some("linux"), None, Depth::Sixteen),
        (None, Some("screen"), None, Depth::Sixteen),
        (None, Some("vt220"), None, Depth::None),
        (Some("truecolor"), Some("dumb"), None, Depth::None),
        (None, None, None, Depth::None),
    ];
    for (colorterm, term, no_color, depth) in cases {
        assert_eq!(Depth::detect(colorterm, term, no_color), depth, "{colorterm:?} {term:?} {no_color:?}");
    }
}

#[test]
fn signs_follow_the_locale_and_take_one_column() {
    assert_eq!(Glyphs::detect(None, None, Some("en_GB.UTF-8")), Glyphs::UNICODE);
    assert_eq!(Glyphs::detect(Some("C"), None, Some("en_GB.UTF-8")), Glyphs::ASCII);
    assert_eq!(Glyphs::detect(Some(""), Some("C.utf8"), None), Glyphs::UNICODE);
    assert_eq!(Glyphs::detect(None, None, None), Glyphs::ASCII);
    for glyphs in [Glyphs::UNICODE, Glyphs::ASCII] {
        let lists = glyphs.spinner.iter().chain(glyphs.sparkline).map(|sign| ("list", *sign));
        for (name, sign) in glyphs.all().into_iter().chain(lists) {
            assert_eq!(width(sign), 1, "{name} {sign}");
        }
    }
    assert!(Glyphs::ASCII.all().iter().all(|(_, sign)| sign.is_ascii()));
    assert_eq!(Glyphs::ASCII.spark(f64::NAN), " ");
    assert_eq!(Glyphs::ASCII.spark(2.0), "#");
    assert_eq!(Glyphs::UNICODE.spinner(usize::MAX), "⠴");
}

/// What is drawn, not read: lines and the empty part of a gauge.
const NOT_TEXT: [Role; 4] = [Role::Border, Role::BorderFocus, Role::GaugeTrack, Role::Scrollbar];

/// The contrast of a role on the ground that it is drawn on; `None` when the theme leaves it to the terminal.
fn contrast_of(theme: &Theme, role: Role, ground: Role) -> Option<f64> {
    let seen = theme.style(role).over(theme.style(ground)).over(theme.style(Role::Text));
    Some(contrast(seen.fg.rgb()?, seen.bg.rgb()?))
}

#[test]
fn shipped_themes_can_be_read() {
    let mut measured = 0;
    let mut pale = Vec::new();
    for theme in Theme::builtins() {
        let readable = if theme.name == "high-contrast" { 7.0 } else { 4.5 };
        let mut measure = |role: Role, ground: Role, least: f64| {
            let Some(ratio) = contrast_of(&theme, role, ground) else { return };
            measured += 1;
            if ratio < least {
                pale.push(format!("{}: {} on {}: {ratio:.2}", theme.name, role.name(), ground.name()));
            }
        };
        // Any text may stand on the screen and in a window above it.
        for ground in [Role::Text, Role::Overlay] {
            for role in Role::ALL {
                measure(*role, ground, if NOT_TEXT.contains(role) { 1.5 } else { readable });
            }
        }
        // What lies on a selected row keeps its own colour where the selection only tints the ground.
        let tinted = [Role::Selection, Role::SelectionInactive];
        for ground in tinted.into_iter().filter(|_| theme.name != "high-contrast") {
            for role in [Role::Ok, Role::Progress, Role::Warn, Role::Critical, Role::Unknown] {
                measure(role, ground, 4.5);
            }
        }
    }
    assert!(pale.is_empty(), "too little contrast:\n{}", pale.join("\n"));
    assert!(measured > 4 * 2 * 60, "themes that declare a ground were measured");
}

/// How a colour looks to a dichromat: the matrices of Machado, Oliveira and Fernandes (2009), on linear light.
fn as_seen((r, g, b): (u8, u8, u8), matrix: [[f64; 3]; 3]) -> (u8, u8, u8) {
    let linear = [r, g, b].map(|part| (f64::from(part) / 255.0).powf(2.2));
    let mixed = matrix.map(|row| row.iter().zip(linear).map(|(weight, part)| weight * part).sum::<f64>());
    let [r, g, b] = mixed.map(|part| (part.clamp(0.0, 1.0).powf(1.0 / 2.2) * 255.0) as u8);
    (r, g, b)
}

#[test]
fn the_colour_blind_theme_keeps_severities_apart_for_every_kind_of_sight() {
    const PROTANOPE: [[f64; 3]; 3] =
        [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0519]];
    const DEUTERANOPE: [[f64; 3]; 3] =
        [[0.3673, 0.8606, -0.2279], [0.2801, 0.6727, 0.0472], [-0.0118, 0.0429, 0.9689]];
    const TRITANOPE: [[f64; 3]; 3] =
        [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]];
    let theme = Theme::builtin("colour-blind").unwrap();
    let roles = [Role::Ok, Role::Warn, Role::Critical];
    for (name, matrix) in [("protanope", PROTANOPE), ("deuteranope", DEUTERANOPE), ("tritanope", TRITANOPE)] {
        let seen = roles.map(|role| as_seen(theme.style(role).fg.rgb().unwrap(), matrix));
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            let apart = color::distance(seen[a], seen[b]);

            assert!(apart > 20_000, "{name}: {:?} and {:?}: {apart}", roles[a], roles[b]);
        }
    }
}

#[test]
fn contrast_is_that_of_wcag() {
    assert!((contrast((0, 0, 0), (255, 255, 255)) - 21.0).abs() < 1e-9);
    assert!((contrast((0x77, 0x77, 0x77), (255, 255, 255)) - 4.48).abs() < 0.01);
}
