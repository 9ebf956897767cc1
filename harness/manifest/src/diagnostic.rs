//! Problems found in files, each with its place, for a terminal (miette) and for plain text.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{LabeledSpan, SourceCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::excerpt::Excerpt;
use crate::visible;

/// A place in a file, both counted from 1.
///
/// ```
/// use kuberay_manifest::Location;
///
/// assert!(Location { line: 2, column: 9 } < Location { line: 3, column: 1 });
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
pub struct Location {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

/// How bad a problem is, the worst first.
///
/// ```
/// use kuberay_manifest::Severity;
///
/// assert_eq!(Severity::Error.word(), "error");
/// assert_eq!([Severity::Note, Severity::Error].iter().min(), Some(&Severity::Error));
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something does not work: a file can't be used, or a Pod does not start.
    Error,
    /// It works, but something about it looks like a mistake.
    Warning,
    /// Worth knowing: it may be meant, or it may pass.
    Note,
}

impl Severity {
    /// Returns the word for people and programs: `error`, `warning` or `note`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One problem in one file; a miette diagnostic that quotes the file.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::{Source, yaml};
///
/// let source = Source::new(Path::new("pod.yaml"), "kind: Pod\nmetadata:\n  name: main\n");
/// let documents = yaml::parse(&source).map_err(kuberay_manifest::Diagnostics::from)?;
/// let kind = documents[0].get("kind").unwrap();
/// let problem = source.error(&kind.place, "this is no RayCluster").with_help("name another file");
/// assert_eq!(problem.location.column, 7);
/// assert_eq!(problem.to_string(), "this is no RayCluster");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// The file.
    pub path: PathBuf,
    /// Where in the file.
    pub location: Location,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    excerpt: Option<Box<Excerpt>>,
}

impl Diagnostic {
    /// A problem with a file or folder as a whole, such as one that can't be read.
    pub fn of_file(path: &Path, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            location: Location { line: 1, column: 1 },
            severity: Severity::Error,
            message: visible::line(&message.into()),
            help: None,
            excerpt: None,
        }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(visible::line(&help.into()));
        self
    }

    /// The whole text of the file that it quotes; none where it quotes nothing.
    pub fn file(&self) -> Option<&str> {
        self.excerpt.as_deref().map(Excerpt::file)
    }

    /// The same, quoting another text of the file, in which every place must be where it was.
    #[must_use]
    pub fn quoting(mut self, file: &str) -> Self {
        self.excerpt = self.excerpt.map(|excerpt| Box::new(excerpt.of(file)));
        self
    }

    /// The same as a warning.
    #[must_use]
    pub fn into_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}

impl miette::Diagnostic for Diagnostic {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display + 'a>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_deref().map(|text| text as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new_with_span(None, self.excerpt.as_ref()?.span());
        Some(Box::new(std::iter::once(label)))
    }
}

/// What was read, or everything that is wrong with it.
pub type DiagnosticResult<T> = Result<T, Vec<Diagnostic>>;

/// Everything that is wrong with the files that were read, in the order of files and lines.
///
/// As text it is one line for each problem; on a terminal show each of the [`Diagnostic`]s as a
/// miette report, which quotes the file.
///
/// ```
/// use kuberay_manifest::parse_manifest;
///
/// let problems = parse_manifest("kind: Pod\n", "pod.yaml").unwrap_err();
/// assert!(problems.to_string().starts_with("pod.yaml:1:1: "), "{problems}");
/// ```
#[derive(Debug, Clone)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// The problems, never empty.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.0
    }

    /// The problems, never empty.
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.0
    }
}

impl From<Vec<Diagnostic>> for Diagnostics {
    fn from(mut diagnostics: Vec<Diagnostic>) -> Self {
        sort(&mut diagnostics);
        Self(diagnostics)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            let Location { line, column } = problem.location;
            let path = visible::line(&problem.path.display().to_string());
            write!(f, "{path}:{line}:{column}: {}", problem.message)?;
            if let Some(help) = &problem.help {
                write!(f, " ({help})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// Orders by file, then by place.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by(|a, b| (&a.path, a.location).cmp(&(&b.path, b.location)));
}

/// A place in a text: what people read, and the bytes that a snippet underlines.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::{Source, yaml};
///
/// let source = Source::new(Path::new("pod.yaml"), "kind: Pod\nmetadata:\n  name: main\n");
/// let documents = yaml::parse(&source).map_err(kuberay_manifest::Diagnostics::from)?;
/// let place = &documents[0].get("kind").unwrap().place;
/// assert_eq!((place.location.line, place.location.column), (1, 7));
/// assert_eq!(&source.text[place.span.clone()], "Pod");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Span {
    /// Line and column.
    pub location: Location,
    /// Bytes of the text.
    pub span: Range<usize>,
}

/// A file's text together with its name.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::{Location, Source};
///
/// let source = Source::new(Path::new("deploy/pod.yaml"), "kind: Pod\n");
/// assert_eq!(source.folder(), Path::new("deploy"));
/// let rest = source.rest_of_line(Location { line: 1, column: 7 });
/// assert_eq!(&source.text[rest.span], "Pod");
/// ```
#[derive(Debug, Clone)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// What it holds.
    pub text: Arc<str>,
}

impl Source {
    /// A text with the name that diagnostics give it.
    pub fn new(path: &Path, text: &str) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }

    /// The folder that the file lies in.
    pub fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// The place from a location to the end of its line.
    pub fn rest_of_line(&self, location: Location) -> Span {
        let before = self
            .text
            .split_inclusive('\n')
            .take(location.line.saturating_sub(1));
        let start: usize = before.map(str::len).sum();
        let line = self.text[start..].lines().next().unwrap_or_default();
        let indent = line
            .chars()
            .take(location.column.saturating_sub(1))
            .map(char::len_utf8);
        Span {
            location,
            span: start + indent.sum::<usize>()..start + line.len(),
        }
    }

    /// A problem at a place of this text.
    pub fn error(&self, place: &Span, message: impl Into<String>) -> Diagnostic {
        let name = visible::line(&self.path.display().to_string());
        Diagnostic {
            location: place.location,
            excerpt: Some(Box::new(Excerpt::new(name, &self.text, &place.span))),
            ..Diagnostic::of_file(&self.path, message)
        }
    }
}
