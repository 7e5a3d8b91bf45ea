"""A mail gateway in front of IMAP, POP3 and SMTP servers, written with Trio."""
