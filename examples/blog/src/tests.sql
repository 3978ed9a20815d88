-- Everybody's password is their name.
INSERT INTO user (username, password) VALUES
    ('test', 'pbkdf2:sha256:1000$Zq7Lk2Vb9Xw4Tn6R$3d86188def80e22f7b64626125f894ecb62c0b55903b9064571a7d0fdeef2701'),
    ('other', 'pbkdf2:sha256:1000$Zq7Lk2Vb9Xw4Tn6R$da07b9177496e7852b01fe2c861cfadab8e644a589bf81488ad2cc6cd2b1a9cb');
INSERT INTO post (title, body, author_id, created) VALUES
    ('test title', 'test' || char(10) || 'body', 1, '2018-01-01 00:00:00');
