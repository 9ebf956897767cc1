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

/// A location in a file; line and column count from 1.
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

/// Severity of a problem, the worst first.
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
    /// Location in the file.
    pub location: Location,
    /// Severity of the problem.
    pub severity: Severity,
    /// The problem, on one line.
    pub message: String,
    /// Advice on what to do about it, on one line.
    pub help: Option<String>,
    excerpt: Option<Box<Excerpt>>,
}

impl Diagnostic {
    /// Returns an error about a file or folder as a whole, such as one that can't be read. It
    /// quotes nothing.
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

    /// Adds advice on what to do about the problem.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(visible::line(&help.into()));
        self
    }

    /// Returns the whole text of the file that it quotes; `None` where it quotes nothing.
    pub fn file(&self) -> Option<&str> {
        self.excerpt.as_deref().map(Excerpt::file)
    }

    /// Quotes another text of the file, in which every location must be where it was.
    #[must_use]
    pub fn quoting(mut self, file: &str) -> Self {
        self.excerpt = self.excerpt.map(|excerpt| Box::new(excerpt.of(file)));
        self
    }

    /// Sets the severity to [`Severity::Warning`].
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

/// The value that was read, or every problem of its text.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::{DiagnosticResult, Source, yaml};
///
/// fn documents(text: &str) -> DiagnosticResult<usize> {
///     Ok(yaml::parse(&Source::new(Path::new("a.yaml"), text))?.len())
/// }
/// assert_eq!(documents("a: 1\n---\nb: 2\n").unwrap(), 2);
/// assert_eq!(documents("a: [").unwrap_err().len(), 1);
/// ```
pub type DiagnosticResult<T> = Result<T, Vec<Diagnostic>>;

/// Every problem of the files that were read, in the order of files and lines.
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
    /// Returns the problems, never empty.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.0
    }

    /// Returns the problems, never empty.
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

/// Sorts by file, then by location.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::{Diagnostic, sort};
///
/// let problem = |file: &str| Diagnostic::of_file(Path::new(file), "the file is empty");
/// let mut problems = [problem("b.yaml"), problem("a.yaml")];
/// sort(&mut problems);
/// assert_eq!(problems[0].path, Path::new("a.yaml"));
/// ```
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by(|a, b| (&a.path, a.location).cmp(&(&b.path, b.location)));
}

/// A place in a text: a location for people, and the bytes that a snippet underlines.
///
/// ```
/// use std::path::Path;
///
/// use kuberay_manifest::{Location, Source, yaml};
///
/// let source = Source::new(Path::new("pod.yaml"), "kind: Pod\nmetadata:\n  name: main\n");
/// let documents = yaml::parse(&source).map_err(kuberay_manifest::Diagnostics::from)?;
/// let place = &documents[0].get("kind").unwrap().place;
/// assert_eq!(place.location, Location { line: 1, column: 7 });
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
    /// Text of the file.
    pub text: Arc<str>,
}

impl Source {
    /// Returns a text with the name that diagnostics give it.
    pub fn new(path: &Path, text: &str) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }

    /// Returns the folder of the file; `.` where the path names none.
    pub fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// Returns the place from a location to the end of its line.
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

    /// Returns an error that quotes a place of this text.
    pub fn error(&self, place: &Span, message: impl Into<String>) -> Diagnostic {
        let name = visible::line(&self.path.display().to_string());
        Diagnostic {
            location: place.location,
            excerpt: Some(Box::new(Excerpt::new(name, &self.text, &place.span))),
            ..Diagnostic::of_file(&self.path, message)
        }
    }
}
