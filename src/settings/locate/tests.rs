use super::*;

#[test]
fn root_does_not_take_its_own_home_for_odoos() {
    let conf = OdooConf::parse(b"[options]\ndata_dir = ~/data\n").unwrap();
    let around = |uid| Surroundings {
        var: Box::new(|name| (name == "HOME").then(|| "/home/odoo".into())),
        uid,
        system: PathBuf::from("/"),
        patience: Duration::ZERO,
    };
    let file = Path::new("/etc/odoo.conf");
    assert_eq!(
        data_dir(&conf, file, &around(1_000)).unwrap(),
        Some((PathBuf::from("/home/odoo/data"), 2))
    );
    let error = data_dir(&conf, file, &around(0)).unwrap_err().to_string();
    assert!(
        error.contains("line 2") && error.contains("--data-dir"),
        "{error}"
    );
}
