"""What each chapter of the report says before its tables, in Dutch and English."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from monitor.wording.words import Text

INTRODUCTIONS: Mapping[str, Text] = MappingProxyType(
    {
        "guide_share": Text(
            "Een aandeel is een bereik. De strenge lezing telt alleen wat zeker op tijd weg was, de gunstige lezing"
            " alles wat niet zeker te laat was.",
            "A share is a range. The strict reading counts only what was gone in time for certain, the lenient reading"
            " all that was not late for certain.",
        ),
        "guide_sure": Text(
            "Een 95%-betrouwbaarheidsinterval (95%-BI) zegt hoe zeker een cijfer is. Dit verslag trekt alleen een"
            " conclusie als het hele interval die steunt.",
            "A 95% confidence interval (95% CI) says how sure a figure is. This report draws a conclusion only where"
            " the whole interval supports it.",
        ),
        "guide_dash": Text(
            "Een streepje (–) betekent: geen cijfer. Dat is iets anders dan nul.",
            "A dash (–) means: no figure. That is not the same as zero.",
        ),
        "cut": Text(
            "De tabel noemt de eerste {n} van {all}. De hele lijst staat in ",
            "The table names the first {n} of {all}. The whole list is in ",
        ),
        "funnel_text": Text(
            "Bij weinig sites kan een aandeel door toeval hoog of laag zijn. De trechter laat zien hoeveel toeval"
            " verklaart. Alleen wie erbuiten ligt, wijkt echt af van alle bedrijven samen. Dat is iets anders dan de"
            " norm: ook alle bedrijven samen kunnen onder de norm liggen.",
            "With few sites a share can be high or low by chance. The funnel shows how much chance explains. Only those"
            " outside it truly differ from all companies together. That is not the same as the norm: all companies"
            " together can be below the norm as well.",
        ),
        "slow_none": Text(
            "Van geen enkel bedrijf tonen de metingen aan dat het onder de norm van {target} op tijd bleef.",
            "Of no company do the measurements prove that it stayed below the norm of {target} on time.",
        ),
        "slow_one": Text(
            "Van één bedrijf tonen de metingen aan dat het onder de norm van {target} op tijd bleef: ook de bovengrens"
            " van het 95%-betrouwbaarheidsinterval is lager.",
            "Of one company the measurements prove that it stayed below the norm of {target} on time: even the upper"
            " bound of the 95% confidence interval is lower.",
        ),
        "slow_many": Text(
            "Van {n} bedrijven tonen de metingen aan dat zij onder de norm van {target} op tijd bleven: ook de"
            " bovengrens van het 95%-betrouwbaarheidsinterval is lager. De traagste staat bovenaan.",
            "Of {n} companies the measurements prove that they stayed below the norm of {target} on time: even the"
            " upper bound of the 95% confidence interval is lower. The slowest is at the top.",
        ),
        "slow_cut": Text("De tabel noemt de eerste {n}.", "The table names the first {n}."),
        "moved_text": Text(
            "Een bedrijf staat hier alleen als de 95%-betrouwbaarheidsintervallen van de twee perioden elkaar niet"
            " overlappen, en het in beide een plaats heeft. Andere verschillen kunnen toeval zijn.",
            "A company is listed here only where the 95% confidence intervals of the two periods do not overlap, and it"
            " has a rank in both. Other differences can be chance.",
        ),
        "worsened_none": Text(
            "Van geen enkel bedrijf is aangetoond dat het minder vaak op tijd was.",
            "No company is proven to have been on time less often.",
        ),
        "improved_none": Text(
            "Van geen enkel bedrijf is aangetoond dat het vaker op tijd was.",
            "No company is proven to have been on time more often.",
        ),
        "nothing_before": Text(
            "Er is nog geen eerder verslag om mee te vergelijken.", "There is no earlier report to compare with yet."
        ),
        "other_method": Text(
            "Het vorige verslag is met een andere werkwijze gemeten. De cijfers per bedrijf zijn daarom niet te"
            " vergelijken.",
            "The report before was measured by another method. The figures of companies can therefore not be compared.",
        ),
        "relocation_text": Text(
            "Soms verdwijnt materiaal bij een bedrijf omdat het naar een ander bedrijf of land verhuist. Dan is het"
            " niet weg. Dit verslag telt dat nooit als verwijderd. De figuur laat zien van wie naar wie.",
            "Sometimes material disappears at a company because it moves to another company or country. Then it is not"
            " gone. This report never counts that as removed. The figure shows from whom to whom.",
        ),
        "relocation_none": Text(
            "Bij de bedrijven met cijfers is in deze periode geen materiaal gezien dat verhuisde.",
            "At the companies with figures no material was seen to move in this period.",
        ),
        "relocation_unknown": Text(
            "Deze publicatie zegt niet waarheen materiaal verhuisde.",
            "This release does not say where material moved to.",
        ),
        "refusers_text": Text(
            "Een geweigerde melding laat geen klok lopen: over de tijd tot verwijdering zegt zij niets. Daarom staat"
            " zij apart. Een bedrijf dat meldingen weigert, kan zo toch een hoog aandeel op tijd hebben.",
            "A refused notice starts no clock: it says nothing about the time to removal. That is why it is told apart."
            " A company that refuses notices can still have a high share on time.",
        ),
        "refusers_none": Text(
            "Geen bedrijf met cijfers weigerde meldingen, en alle waren te bereiken.",
            "No company with figures refused notices, and all could be reached.",
        ),
        "withheld_text": Text(
            "Bedrijven zonder cijfers, omdat zij te weinig episodes hebben: {n}.",
            "Companies without figures, because they have too few episodes: {n}.",
        ),
        "sources_text": Text(
            "Alleen wat binnenkomt, kan worden gemeten. De langste onderbreking is de langste tijd tussen twee"
            " leveringen van een bron. Niet verwerkbaar is het deel van de regels dat apart is gezet.",
            "Only what comes in can be measured. The longest gap is the longest time between two deliveries of a"
            " source. Could not be read is the part of the rows that was set aside.",
        ),
        "quality_unknown": Text(
            "Deze publicatie zegt niet wat de bronnen leverden.",
            "This release does not say what the sources delivered.",
        ),
        "interruptions_text": Text(
            "Zonder leveringen verandert er niets aan wat bekend is: wat daarin verdween, blijft onbepaald. Tijd waarin"
            " de klok stilstond, telt nooit tegen een bedrijf.",
            "Without deliveries nothing changes in what is known: what went in that time stays undetermined. Time in"
            " which the clock stood still never counts against a company.",
        ),
        "interruptions_none": Text(
            "In deze periode is geen onderbreking gezien.", "No interruption was seen in this period."
        ),
        "norms_text": Text(
            "De termijn is een keuze. Hier staat hoe de bedrijven ervoor staan als de termijn van elke episode 1, 12,"
            " 24 of 48 uur was geweest. Het zijn dezelfde episodes en dezelfde regels; alleen de termijn is anders. Het"
            " zijn geen oordelen.",
            "The deadline is a choice. Here is how the companies would stand if the deadline of every episode had been"
            " 1, 12, 24 or 48 hours. The episodes and rules are the same; only the deadline differs. These are not"
            " judgements.",
        ),
        "norms_unknown": Text(
            "Deze publicatie zegt niet hoe het bij een andere termijn zou zijn.",
            "This release does not say how it would be under another deadline.",
        ),
        "norms_same": Text(
            "Bij elke termijn heeft elk bedrijf dezelfde status.",
            "Every company has the same standing under each deadline.",
        ),
        "trend_text": Text(
            "De figuren laten het aandeel op tijd en de mediane tijd van alle bedrijven samen zien. Waar een kwartaal"
            " ontbreekt, is de lijn onderbroken.",
            "The figures show the share on time and the median time of all companies together. Where a quarter is"
            " missing, the line is broken.",
        ),
        "trend_none": Text(
            "Dit is de eerste publicatie van een kwartaal. Een verloop is er pas als er een tweede is.",
            "This is the first release of a quarter. There is a trend only once there is a second one.",
        ),
        "why_text": Text(
            "Een aandeel van alle bedrijven samen kan om twee redenen veranderen: doordat bedrijven anders handelen, of"
            " doordat er meer of minder materiaal bij trage bedrijven staat. Hier staan die uit elkaar, volgens"
            " Griliches en Regev (1995).",
            "A share of all companies together can change for two reasons: because companies act differently, or"
            " because more or less of the material stands at slow companies. Here the two are told apart, after"
            " Griliches and Regev (1995).",
        ),
        "corrections_text": Text(
            "Een publicatie verandert nooit. Blijkt een cijfer onjuist, dan verschijnt een nieuwe versie, met de reden."
            " De oude blijft te zien. Hier staat wat er sinds het vorige verslag is gecorrigeerd.",
            "A release never changes. Where a figure proves wrong, a new version is published, with the reason. The old"
            " one stays visible. Here is what was corrected since the report before.",
        ),
        "corrections_none": Text(
            "Sinds het vorige verslag is niets gecorrigeerd.", "Nothing was corrected since the report before."
        ),
        "corrections_first": Text(
            "Dit is het eerste verslag; er is nog niets gecorrigeerd.",
            "This is the first report; nothing has been corrected yet.",
        ),
        "correction_reason": Text("Gepubliceerd op {at}. Reden: {reason}", "Published on {at}. Reason: {reason}"),
        "correction_details": Text(
            "Plaats, status en hoofdcijfers zijn nergens veranderd; wel andere cijfers.",
            "No rank, standing or main figure changed; other figures did.",
        ),
        "correction_others": Text(
            "Andere bedrijven waarvan een ander cijfer, niet hierboven genoemd, veranderde: {n}.",
            "Other companies of which another figure, not named above, changed: {n}.",
        ),
        "tables_text": Text(
            "Alle bedrijven staan hier, ook die in de hoofdstukken hiervoor. Het gegevenspakket bij deze publicatie"
            " heeft dezelfde cijfers als CSV, met alle kolommen.",
            "All companies are here, also those in the chapters before. The data package of this release has the same"
            " figures as CSV, with all columns.",
        ),
        "object_contact": Text("Neem contact op via {contact}.", "Get in touch by {contact}."),
        "hearing_waived": Text("Niet gehouden. Reden: {reason}", "Not held. Reason: {reason}"),
        "check_package": Text(
            "Bij deze publicatie hoort een gegevenspakket met een ondertekend manifest. In het bestand README staat hoe"
            " u de handtekening en elk bestand met openbare hulpmiddelen controleert, en hoe u de tabel uit de"
            " geanonimiseerde episodes opnieuw uitrekent.",
            "This release has a data package with a signed manifest. Its README says how to check the signature and"
            " each file with public tools, and how to work out the table anew from the anonymised episodes.",
        ),
    }
)
