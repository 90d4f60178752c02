//! A random number to a country and a region, by weight.
//!
//! Limits: weights are round figures of how many people of a country use such a service, made up.
//! The names include what parsers stumble over: commas, quotes, apostrophes, non-ASCII of one to
//! three bytes a letter, and Namibia, whose code is `NA`.

use crate::random::Weighted;

/// A country and one of its regions or cities; `""` is absent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    pub(crate) country: &'static str,
    pub(crate) region: &'static str,
}

/// All places with their weights.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    list: Vec<Place>,
    weights: Weighted,
}

/// Of a thousand rows of a country, how many have no region.
const REGION_ABSENT: u64 = 40;
/// Of all weights, one in so many has neither country nor region.
const COUNTRY_ABSENT_ONE_IN: u64 = 200;

impl Places {
    pub(crate) fn new() -> Self {
        let mut list = Vec::new();
        let mut weights: Vec<u64> = Vec::new();
        for &(country, weight, regions) in COUNTRIES {
            let names = || regions.split('|').filter(|name| !name.is_empty());
            // The k-th region weighs 1 / (k + 1.5).
            let shares: u64 = (0..names().count() as u64)
                .map(|k| 1_000_000 / (2 * k + 3))
                .sum();
            for (k, region) in (0_u64..).zip(names()) {
                list.push(Place { country, region });
                let share = 1_000_000 / (2 * k + 3);
                weights.push(weight * (1_000 - REGION_ABSENT) * share * 1_000 / shares);
            }
            list.push(Place {
                country,
                region: "",
            });
            weights.push(weight * REGION_ABSENT * 1_000);
        }
        let total: u64 = weights.iter().sum();
        list.push(Place {
            country: "",
            region: "",
        });
        weights.push(total / COUNTRY_ABSENT_ONE_IN);
        Self {
            list,
            weights: Weighted::new(weights.into_iter()),
        }
    }

    /// The place that 64 random bits stand for.
    pub(crate) fn pick(&self, bits: u64) -> u16 {
        self.weights.pick(bits) as u16
    }

    pub(crate) fn get(&self, place: u16) -> Place {
        self.list[usize::from(place)]
    }

    /// The place that 64 random bits stand for, in another country than `place`.
    pub(crate) fn elsewhere(&self, place: u16, bits: u64) -> u16 {
        let home = self.get(place).country;
        let mut next = self.pick(bits);
        while self.get(next).country == home || self.get(next).country.is_empty() {
            next = (next + 1) % self.list.len() as u16;
        }
        next
    }
}

/// Code, weight, regions in descending order of weight.
#[rustfmt::skip]
const COUNTRIES: &[(&str, u64, &str)] = &[
    ("US", 300, "California|Virginia|Oregon|New York|Texas|Washington|Ohio|Iowa|Illinois|Massachusetts|Washington, D.C.|Hawai‘i|New Jersey|Georgia|Florida|Pennsylvania|Colorado|Michigan|North Carolina|Arizona"),
    ("CN", 150, "Beijing|Shanghai|Guangdong|Zhejiang|Jiangsu|Sichuan|Hubei|Xi'an|Shandong|北京市|新疆"),
    ("DE", 70, "Hesse|Bavaria|Berlin|Baden-Württemberg|North Rhine-Westphalia|Saxony|Hamburg|Lower Saxony|Thüringen|Mecklenburg-Vorpommern"),
    ("IN", 65, "Karnataka|Maharashtra|Telangana|Delhi|Tamil Nadu|Uttar Pradesh|Haryana|West Bengal|Gujarat|Kerala"),
    ("GB", 45, "England|London|Scotland|Cambridge|Wales|Manchester|Bristol|Edinburgh|Belfast|Leeds"),
    ("FR", 45, "Île-de-France|Auvergne-Rhône-Alpes|Provence-Alpes-Côte d'Azur|Occitanie|Hauts-de-France|Bretagne|Grand Est|Nouvelle-Aquitaine|La Réunion"),
    ("JP", 42, "Tokyo|Osaka|Kanagawa|Aichi|Kyoto|Fukuoka|東京都|Hokkaido|Saitama|Chiba"),
    ("KR", 40, "Seoul|Gyeonggi-do|Busan|Daejeon|Incheon|서울특별시|Daegu|Gwangju"),
    ("SG", 32, "Singapore|Central Singapore|\"The Strand\", Jurong"),
    ("CA", 30, "Ontario|Quebec|British Columbia|Alberta|Québec|Nova Scotia|Manitoba|Saskatchewan|Newfoundland and Labrador"),
    ("NL", 28, "North Holland|South Holland|Groningen|Utrecht|'s-Hertogenbosch|Noord-Brabant|Gelderland|Friesland"),
    ("RU", 26, "Moscow|St. Petersburg|Tatarstan|Novosibirsk Oblast|Sverdlovsk Oblast|Москва|Krasnodar Krai|Samara"),
    ("HK", 24, "Central and Western|Kowloon|Sha Tin|Tsuen Wan|Yau Tsim Mong|Wan Chai"),
    ("BR", 22, "São Paulo|Rio de Janeiro|Minas Gerais|Paraná|Ceará|Goiás|Distrito Federal|Bahia|Amapá|Santa Catarina"),
    ("IE", 20, "Leinster|Dublin|Munster|Connacht|Dún Laoghaire|Cork|Galway"),
    ("AU", 19, "New South Wales|Victoria|Queensland|Western Australia|South Australia|Tasmania|Canberra, A.C.T.|Northern Territory"),
    ("TW", 18, "Taipei|New Taipei|Hsinchu|Taichung|Kaohsiung|臺北市|Tainan|Taoyuan"),
    ("IT", 17, "Lombardy|Lazio|Piedmont|Emilia-Romagna|Veneto|L'Aquila|Tuscany|Campania|Valle d’Aosta|Sicily"),
    ("ES", 17, "Madrid|Catalonia|Andalusia|València|País Vasco|A Coruña|Castilla y León|Aragón|Navarra"),
    ("PL", 16, "Mazovia|Lesser Poland|Łódź|Lower Silesia|Pomerania|Śląskie|Wielkopolskie|Małopolskie"),
    ("CH", 14, "Zurich|Vaud|Geneva|Bern|Basel-City|Zürich|Ticino|Graubünden|Neuchâtel"),
    ("SE", 14, "Stockholm|Skåne|Västra Götaland|Uppsala|Norrbotten|Östergötland|Västerbotten"),
    ("FI", 13, "Uusimaa|Pirkanmaa|North Karelia|Varsinais-Suomi|Oulu|Kymenlaakso|Päijät-Häme"),
    ("IL", 12, "Tel Aviv|Central District|Haifa|Jerusalem|Southern District|Be'er Sheva"),
    ("VN", 12, "Hà Nội|Thành phố Hồ Chí Minh|Đà Nẵng|Cần Thơ|Hải Phòng|Bình Dương|Đồng Nai"),
    ("ID", 11, "Jakarta|West Java|East Java|Banten|Yogyakarta|Bali|North Sumatra|Central Java"),
    ("TR", 11, "Istanbul|Ankara|İzmir|Kocaeli|Bursa|Eskişehir|Konya|Antalya|Şanlıurfa"),
    ("IR", 9, "Tehran|Isfahan|Razavi Khorasan|Fars|East Azerbaijan|تهران|Qom|Alborz"),
    ("UA", 9, "Kyiv|Lviv|Kharkiv|Odesa|Dnipropetrovsk|Київ|Zaporizhzhia|Ivano-Frankivs'k"),
    ("MX", 8, "Mexico City|Jalisco|Nuevo León|Querétaro|Puebla|Yucatán|Michoacán|México, Estado de"),
    ("AE", 8, "Dubai|Abu Dhabi|Sharjah|Ajman|Ra's al Khaymah"),
    ("SA", 7, "Riyadh|Makkah|Eastern Province|Al Madinah|'Asir|Ḥā'il"),
    ("AT", 7, "Vienna|Styria|Upper Austria|Tyrol|Salzburg|Kärnten|Niederösterreich"),
    ("BE", 7, "Brussels|Flanders|Wallonia|Liège|Antwerp|Ghent|Namur"),
    ("CZ", 7, "Prague|South Moravian|Moravian-Silesian|Plzeň|Vysočina|Hlavní město Praha"),
    ("DK", 7, "Capital Region|Central Jutland|Zealand|South Denmark|Ærø|Nordjylland"),
    ("NO", 7, "Oslo|Viken|Vestland|Trøndelag|Rogaland|Møre og Romsdal|Troms"),
    ("PT", 6, "Lisbon|Porto|Braga|Coimbra|Aveiro|Setúbal|Évora|Azores"),
    ("RO", 6, "București|Cluj|Iași|Timiș|Brașov|Ilfov|Constanța"),
    ("TH", 6, "Bangkok|Chiang Mai|Nonthaburi|Phuket|กรุงเทพมหานคร|Chon Buri"),
    ("MY", 6, "Selangor|Kuala Lumpur|Penang|Johor|Sarawak|Negeri Sembilan"),
    ("PK", 6, "Punjab|Sindh|Islamabad|Khyber Pakhtunkhwa|Balochistan"),
    ("BD", 5, "Dhaka|Chittagong|Sylhet|Khulna|Cox's Bazar|Rajshahi"),
    ("EG", 5, "Cairo|Giza|Alexandria|القاهرة|Aswan|Dakahlia"),
    ("NG", 5, "Lagos|Federal Capital Territory|Oyo|Rivers|Kano|Enugu"),
    ("ZA", 5, "Gauteng|Western Cape|KwaZulu-Natal|Eastern Cape|Free State|Limpopo"),
    ("GR", 5, "Attica|Central Macedonia|Crete|Αττική|Thessaly|Epirus"),
    ("HU", 5, "Budapest|Pest|Győr-Moson-Sopron|Csongrád-Csanád|Hajdú-Bihar|Békés"),
    ("AR", 5, "Buenos Aires|Córdoba|Santa Fe|Buenos Aires F.D.|Tucumán|Neuquén"),
    ("CL", 4, "Santiago Metropolitan|Valparaíso|Biobío|Libertador General Bernardo O'Higgins|Ñuble"),
    ("CO", 4, "Bogotá D.C.|Antioquia|Valle del Cauca|Atlántico|Boyacá|Nariño"),
    ("NZ", 4, "Auckland|Wellington|Canterbury|Manawatū-Whanganui|Hawke's Bay|Otago"),
    ("KE", 3, "Nairobi County|Mombasa County|Kiambu|Murang'a|Kisumu"),
    ("MA", 3, "Casablanca-Settat|Rabat-Salé-Kénitra|Fès-Meknès|Marrakesh-Safi|Drâa-Tafilalet"),
    ("NA", 3, "Khomas|Erongo|Oshana|Otjozondjupa|Hardap|ǁKaras|Kavango East|Zambezi"),
    ("LU", 3, "Luxembourg|Esch-sur-Alzette|Diekirch|Grevenmacher"),
    ("CI", 2, "Abidjan|Yamoussoukro|Bas-Sassandra|Vallée du Bandama|Sassandra-Marahoué"),
    ("IS", 2, "Capital Region|Reykjavík|Suðurnes|Norðurland eystra|Þingeyjarsveit|Ísafjörður"),
    ("MT", 1, "Valletta|Ta' Xbiex|Ħamrun|Żebbuġ|Sliema|Saint Paul’s Bay"),
    ("KZ", 1, "Almaty|Astana|Шымкент|Karaganda|Mangystau"),
    ("AQ", 1, "McMurdo \"Mactown\" Station|Amundsen–Scott"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_cover_what_parsers_stumble_over() {
        let places = Places::new();
        let any = |test: &dyn Fn(&Place) -> bool| places.list.iter().any(test);
        assert!(any(&|place| place.country == "NA"));
        assert!(any(
            &|place| place.region.contains(',') && place.region.contains('"')
        ));
        assert!(any(&|place| !place.region.is_ascii()));
        assert!(any(
            &|place| place.country.is_empty() && place.region.is_empty()
        ));
        assert!(COUNTRIES.len() >= 60);
        // One name in two countries: a region means nothing without its country.
        assert!(any(
            &|place| place.country == "IS" && place.region == "Capital Region"
        ));
        assert!(any(
            &|place| place.country == "DK" && place.region == "Capital Region"
        ));
    }

    #[test]
    fn the_other_place_is_in_another_country() {
        let places = Places::new();
        for place in 0..places.list.len() as u16 {
            let next = places.elsewhere(place, u64::from(place) << 48);
            assert_ne!(places.get(next).country, places.get(place).country);
        }
    }
}
