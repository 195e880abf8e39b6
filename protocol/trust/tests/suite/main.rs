//! What others meet of this crate: vectors, forged signatures, registries, documents, and bytes of
//! no good intent. `cfg(test)` tells the lints that helpers here are tests too.

#[cfg(test)]
mod bad_disclosures;
#[cfg(test)]
mod bad_documents;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod forge;
#[cfg(test)]
mod hostile_bytes;
#[cfg(test)]
mod issuing;
#[cfg(test)]
mod registry;
#[cfg(test)]
mod registry_files;
#[cfg(test)]
mod strict_json;
#[cfg(test)]
mod strict_signatures;
