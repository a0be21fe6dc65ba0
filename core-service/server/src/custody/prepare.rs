use std::path::Path;

use zeroize::Zeroizing;

use super::{WrapError, pkcs11::Token};
use crate::{Keeper, config::make_private_folder, vault::random};

/// Makes what opens a vault where it is missing, and says what was made.
pub(crate) fn prepare(keeper: &Keeper) -> Result<Option<String>, WrapError> {
    match keeper {
        Keeper::Passphrase { file, .. } if file.exists() => Ok(None),
        Keeper::Passphrase { file, .. } => {
            make_passphrase(file)?;
            let name = file.display();
            Ok(Some(format!(
                "made a passphrase: {name}; keep a copy of it elsewhere, without it the vault is lost"
            )))
        }
        Keeper::Pkcs11(pkcs11) => match Token::new(pkcs11).make_key()? {
            true => Ok(Some(format!("made key {} in token {}", pkcs11.key, pkcs11.token))),
            false => Ok(None),
        },
    }
}

/// 256 bits as hexadecimal text.
fn make_passphrase(file: &Path) -> Result<(), WrapError> {
    let failed = |cause: String| WrapError::Failed { doing: "make a passphrase", cause };
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_private_folder(folder).map_err(|error| failed(error.to_string()))?;
    }
    let bytes = random::<32>().map_err(|error| failed(error.to_string()))?;
    let text = Zeroizing::new(hex::encode(bytes.as_slice()) + "\n");
    Ok(kms_config::write_secret(file, text.as_bytes())?)
}
