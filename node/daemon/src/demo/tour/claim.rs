//! What the tour claims, in its order, and where to look when a claim does not hold.

use crate::demo::open_house::{in_language_of, quoted, this_program};
use crate::demo::proof;
use crate::demo::rehearsal::{backup_file, recovery_key};
use crate::demo::words::{self, Line};
use crate::output::Reader;
use crate::staging::{Layout, Site};

/// A claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    CitiesAreUp,
    IsReplicated,
    IsRouted,
    LinesAreQuic,
    FileArrives,
    LeaderIsLost,
    SecondGoesOn,
    PeopleDiffer,
    ResultReturns,
    DocumentIsValid,
    TamperedIsInvalid,
    StrangerIsRefused,
    HostKnowsNothing,
    AllAreThere,
    BackupIsWhole,
    DrillPasses,
}

/// Places of the ring.
pub(super) const FUZHOU: usize = 0;
pub(super) const PUTIAN: usize = 1;
pub(super) const WEINAN: usize = 4;
pub(super) const DINGXI: usize = 5;
/// Behind the ring: the second node of Weinan.
const WEINAN_SECOND: usize = 6;

impl Claim {
    /// In the order of the tour.
    pub(super) const ALL: [Self; 16] = [
        Self::CitiesAreUp,
        Self::IsReplicated,
        Self::IsRouted,
        Self::LinesAreQuic,
        Self::FileArrives,
        Self::LeaderIsLost,
        Self::SecondGoesOn,
        Self::PeopleDiffer,
        Self::ResultReturns,
        Self::DocumentIsValid,
        Self::TamperedIsInvalid,
        Self::StrangerIsRefused,
        Self::HostKnowsNothing,
        Self::AllAreThere,
        Self::BackupIsWhole,
        Self::DrillPasses,
    ];

    /// Its name for scripts.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::CitiesAreUp => "cities_are_up",
            Self::IsReplicated => "application_is_replicated",
            Self::IsRouted => "application_is_routed",
            Self::LinesAreQuic => "cities_speak_quic",
            Self::FileArrives => "file_arrives_unchanged",
            Self::LeaderIsLost => "lost_leader_loses_nothing",
            Self::SecondGoesOn => "city_goes_on_at_its_second_node",
            Self::PeopleDiffer => "different_people_decide",
            Self::ResultReturns => "result_returns",
            Self::DocumentIsValid => "document_is_valid_offline",
            Self::TamperedIsInvalid => "tampered_copy_is_invalid",
            Self::StrangerIsRefused => "unknown_signer_is_refused",
            Self::HostKnowsNothing => "host_holds_no_word",
            Self::AllAreThere => "every_case_is_there_once",
            Self::BackupIsWhole => "backup_is_whole",
            Self::DrillPasses => "drill_finds_equal_hashes",
        }
    }

    /// The claim in words.
    pub(super) const fn line(self) -> Line {
        match self {
            Self::CitiesAreUp => words::CITIES_ARE_UP,
            Self::IsReplicated => words::IS_REPLICATED,
            Self::IsRouted => words::IS_ROUTED,
            Self::LinesAreQuic => words::LINES_ARE_QUIC,
            Self::FileArrives => words::FILE_ARRIVES,
            Self::LeaderIsLost => words::LEADER_IS_LOST,
            Self::SecondGoesOn => words::SECOND_GOES_ON,
            Self::PeopleDiffer => words::PEOPLE_DIFFER,
            Self::ResultReturns => words::RESULT_RETURNS,
            Self::DocumentIsValid => words::DOCUMENT_IS_VALID,
            Self::TamperedIsInvalid => words::TAMPERED_IS_INVALID,
            Self::StrangerIsRefused => words::STRANGER_IS_REFUSED,
            Self::HostKnowsNothing => words::HOST_KNOWS_NOTHING,
            Self::AllAreThere => words::ALL_ARE_THERE,
            Self::BackupIsWhole => words::BACKUP_IS_WHOLE,
            Self::DrillPasses => words::DRILL_PASSES,
        }
    }

    /// A command that looks at the same once more; it runs while the cities are up and when they are down.
    pub(super) fn look_further(self, layout: &Layout, reader: Reader) -> String {
        let fuzhou = &layout.sites[FUZHOU];
        let command = match self {
            Self::CitiesAreUp | Self::IsReplicated | Self::LinesAreQuic | Self::AllAreThere => {
                doctor(fuzhou)
            }
            Self::HostKnowsNothing => doctor(&layout.sites[PUTIAN]),
            Self::SecondGoesOn => doctor(&layout.sites[WEINAN_SECOND]),
            Self::IsRouted
            | Self::FileArrives
            | Self::LeaderIsLost
            | Self::PeopleDiffer
            | Self::ResultReturns => doctor(&layout.sites[WEINAN]),
            Self::DocumentIsValid => verify(layout, proof::DOCUMENT),
            Self::TamperedIsInvalid => verify(layout, proof::TAMPERED),
            Self::StrangerIsRefused => verify(layout, proof::FALSE_NAME),
            Self::BackupIsWhole => backup(layout, "verify"),
            Self::DrillPasses => backup(layout, "drill"),
        };
        format!("{} {command}{}", this_program(), in_language_of(reader))
    }
}

fn doctor(site: &Site) -> String {
    format!("doctor --config {}", quoted(&site.config))
}

fn verify(layout: &Layout, name: &str) -> String {
    format!(
        "doc verify {} --trust {} --pin {}",
        quoted(&layout.folder.join(name)),
        quoted(&layout.registry),
        layout.governance,
    )
}

fn backup(layout: &Layout, verb: &str) -> String {
    format!(
        "backup {verb} {} --trust {} --pin {} --key {}",
        quoted(&backup_file(layout, &layout.sites[FUZHOU])),
        quoted(&layout.registry),
        layout.governance,
        quoted(&recovery_key(&layout.folder)),
    )
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::command_line::CommandLine;
    use crate::output::Language;
    use crate::staging::{SIX_CITIES, Scheme, StageLine};

    #[test]
    fn a_command_to_look_further_parses_and_answers_in_the_language_of_the_tour() {
        let folder = tempfile::tempdir().unwrap();
        let scheme = Scheme {
            with_two: &[610_500],
            ..Scheme::of(&SIX_CITIES, 3, StageLine::Own)
        };
        let layout = Layout::make(folder.path(), &scheme).unwrap();
        for claim in Claim::ALL {
            let shown = |language| claim.look_further(&layout, Reader::plain(language));
            let english = shown(Language::En);
            assert_eq!(english, format!("{} --lang en", shown(Language::Zh)));
            let parsed = CommandLine::read(english.split_whitespace().map(OsString::from));
            assert!(parsed.is_ok(), "{english}: {:?}", parsed.err());
        }
    }
}
