-- What dumps of shops hold beside WordPress's own tables.
CREATE TABLE rv_customers (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80) NOT NULL, note BLOB, KEY by_name (name)) ENGINE=InnoDB;
CREATE TABLE rv_orders (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, customer INT UNSIGNED NOT NULL, parent INT UNSIGNED NULL, total DECIMAL(12,2) NOT NULL,
  twice DECIMAL(13,2) AS (total * 2) STORED, placed DATETIME NOT NULL, KEY by_customer (customer), KEY by_parent (parent),
  CONSTRAINT rv_orders_customer FOREIGN KEY (customer) REFERENCES rv_customers (id) ON DELETE CASCADE,
  CONSTRAINT rv_orders_parent FOREIGN KEY (parent) REFERENCES rv_orders (id)) ENGINE=InnoDB;
CREATE TABLE rv_stock (item VARCHAR(40) NOT NULL PRIMARY KEY, pieces INT NOT NULL, about TEXT, FULLTEXT KEY about (about)) ENGINE=InnoDB;
CREATE TABLE rv_log (id INT NOT NULL, line VARCHAR(100) CHARACTER SET latin1, PRIMARY KEY (id)) ENGINE=MyISAM;
CREATE TABLE `we``ird "tbl"` (`k``ey` INT NOT NULL PRIMARY KEY, `Tên món` VARCHAR(60) NOT NULL, customer INT UNSIGNED NOT NULL,
  CONSTRAINT `we``ird "fk"` FOREIGN KEY (customer) REFERENCES rv_customers (id)) ENGINE=InnoDB;
INSERT INTO rv_customers (name, note) SELECT CONCAT('customer ', seq), UNHEX(SHA2(seq, 256)) FROM seq_1_to_200;
INSERT INTO rv_orders (customer, parent, total, placed) SELECT 1 + seq % 200, IF(seq > 10, seq - 10, NULL), seq * 1.1, '2024-05-06 07:08:09' FROM seq_1_to_1000;
INSERT INTO rv_stock VALUES ('rocket', 3, 'it''s a "rocket"; really\\ 🚀'), ('fuel', 900, '-- not a comment\n/* nor this */ \0 zero'), ('delimiter', 1, 'DELIMITER ;;');
INSERT INTO rv_log SELECT seq, CONCAT('déjà vu ', seq) FROM seq_1_to_50;
INSERT INTO `we``ird "tbl"` SELECT seq, CONCAT('phở ', seq), seq FROM seq_1_to_20;
-- Links that were there and are gone: their numbers are not given out again.
-- MySQL's own mode takes no table of WordPress, whose times are zero by default.
SET SESSION sql_mode='';
ALTER TABLE wp_links AUTO_INCREMENT=500;
SET SESSION sql_mode=DEFAULT;
CREATE VIEW rv_totals AS SELECT c.name, SUM(o.total) AS total FROM rv_customers c JOIN rv_orders o ON o.customer = c.id GROUP BY c.id, c.name;
DELIMITER ;;
CREATE TRIGGER rv_orders_stock AFTER INSERT ON rv_orders FOR EACH ROW BEGIN UPDATE rv_stock SET pieces = pieces - 1 WHERE item = 'rocket'; END ;;
CREATE PROCEDURE rv_restock(IN n INT) BEGIN UPDATE rv_stock SET pieces = pieces + n; END ;;
CREATE FUNCTION rv_pieces(name VARCHAR(40)) RETURNS INT READS SQL DATA RETURN (SELECT pieces FROM rv_stock WHERE item = name) ;;
CREATE EVENT rv_nightly ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 03:00:00' DO DELETE FROM rv_log WHERE id > 100000 ;;
DELIMITER ;
