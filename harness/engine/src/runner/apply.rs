//! Sends the objects of a case.

use serde_json::Value;

use super::CaseError;
use super::steps::rejection;
use crate::check::Rejection;
use crate::operator::Sender;

/// Sends objects in their order. An object that the API server refuses is a finding; that it can't
/// be asked, an error.
///
/// # Errors
/// When the API server gives no verdict on an object.
pub(super) async fn apply(sender: &Sender, objects: &[Value]) -> Result<Vec<Rejection>, CaseError> {
    let mut rejections = Vec::new();
    for object in objects {
        if let Err(error) = sender.create(object).await {
            rejections.push(rejection(error)?);
        }
    }
    Ok(rejections)
}

#[cfg(test)]
mod tests;
