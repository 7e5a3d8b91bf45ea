"""Configurations as people have them: from manuals, distributions and mail suites."""

DOCUMENTATION = """
worker_processes auto;

error_log /var/log/error.log info;

events {
    worker_connections  1024;
}

mail {
    server_name       mail.example.com;
    auth_http         localhost:9000/cgi-bin/nginxauth.cgi;

    imap_capabilities IMAP4rev1 UIDPLUS IDLE LITERAL+ QUOTA;

    pop3_auth         plain apop cram-md5;
    pop3_capabilities LAST TOP USER PIPELINING UIDL;

    smtp_auth         login plain cram-md5;
    smtp_capabilities "SIZE 10485760" ENHANCEDSTATUSCODES 8BITMIME DSN;
    xclient           off;

    server {
        listen   25;
        protocol smtp;
    }
    server {
        listen   110;
        protocol pop3;
        proxy_pass_error_message on;
    }
    server {
        listen   143;
        protocol imap;
    }
    server {
        listen   587;
        protocol smtp;
    }
}
"""

GUIDE = """
events { }
mail {
    server_name mail.example.com;
    auth_http   localhost:9000/cgi-bin/nginxauth.cgi;

    proxy_pass_error_message on;

    ssl                 on;
    ssl_certificate     cert.pem;
    ssl_certificate_key key.pem;
    ssl_protocols       TLSv1 TLSv1.1 TLSv1.2;
    ssl_ciphers         HIGH:!aNULL:!MD5;
    ssl_session_cache   shared:SSL:10m;
    ssl_session_timeout 10m;

    server {
        listen     25;
        protocol   smtp;
        smtp_auth  login plain cram-md5;
    }

    server {
        listen    110;
        protocol  pop3;
        pop3_auth plain apop cram-md5;
    }

    server {
        listen   143;
        protocol imap;
    }
}
"""

DISTRIBUTION = """
user www-data;
worker_processes auto;
pid /run/nginx.pid;

events {
	worker_connections 768;
	# multi_accept on;
}

http {

	##
	# Basic Settings
	##

	sendfile on;
	include /etc/nginx/mime.types;
	default_type application/octet-stream;
	ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; # Dropping SSLv3, ref: POODLE
	gzip on;
	# gzip_types text/plain text/css application/json;
	include /etc/nginx/conf.d/*.conf;
	include /etc/nginx/sites-enabled/*;
}


mail {
	# See sample authentication script at:
	# http://wiki.nginx.org/ImapAuthenticateWithApachePhpScript

	auth_http localhost/auth.php;
	# pop3_capabilities "TOP" "USER";
	imap_capabilities "IMAP4rev1" "UIDPLUS";

	server {
		listen     localhost:110;
		protocol   pop3;
		proxy      on;
	}

	server {
		listen     localhost:143;
		protocol   imap;
		proxy      on;
	}
}
"""

SUITE_WITH_INCLUDES = """
working_directory       /;
daemon                  off;
master_process          on;
worker_processes        4;
worker_rlimit_nofile    10240;
error_log               /dev/null warn;
env MALLOC_ARENA_MAX;

include includes/main.conf;
include includes/mail.conf;
"""

SUITE_FILES = {
    "includes/main.conf": """
        events {
            worker_connections 10240;
            multi_accept on;
            use epoll;
        }
    """,
    "includes/mail.conf": r"""
        mail {
            # lookup service
            auth_http                   127.0.0.1:7072/service/extension/nginx-lookup;
            auth_http_timeout           15000ms;
            auth_http_header            Auth-Key "a \"quoted\" key";
            proxy                       on;
            proxy_timeout               3600;
            timeout                     60s;
            proxy_pass_error_message    on;
            ssl_prefer_server_ciphers   on;
            ssl_protocols               TLSv1.2 TLSv1.3;
            ssl_ciphers                 ECDHE-ECDSA-AES128-GCM-SHA256:HIGH:!aNULL;
            ssl_certificate             cert.pem;
            ssl_certificate_key         key.pem;
            ssl_session_cache           shared:SSL:50m;
            ssl_session_timeout         1d;
            include includes/mail.*.conf;
        }
    """,
    "includes/mail.imap.conf": """
        server {
            server_name         mail.example.com;
            listen              0.0.0.0:143;
            protocol            imap;
            imap_auth           plain external;
            starttls            only;
            imap_capabilities   "IMAP4rev1" "ID" "LITERAL+" "SASL-IR" "IDLE";
        }
    """,
    "includes/mail.imaps.conf": """
        server {
            listen              0.0.0.0:993 ssl;
            protocol            imap;
            imap_capabilities   "IMAP4rev1" "ID" "LITERAL+" "SASL-IR" "IDLE";
        }
    """,
    "includes/mail.pop3.conf": """
        server {
            listen              [::]:110 ipv6only=on;
            listen              *:110;
            protocol            pop3;
            pop3_capabilities   "TOP" "USER" "UIDL" "EXPIRE 31 USER";
            starttls            on;
        }
    """,
}

CONTAINER_SUITE = """
# Basic configuration
user nginx;
worker_processes auto;
pid /var/run/nginx.pid;
error_log /dev/stderr notice;
load_module "modules/ngx_mail_module.so";

events {
    worker_connections 1024;
}

http {
    map $http_x_forwarded_proto $proxy_x_forwarded_proto { default $scheme; }
    server {
        listen 80;
        location ~ "^/[a-z]{2}/$" { return 301 https://$host$request_uri; }
    }
}

mail {
    server_name mail.example.com;
    auth_http http://127.0.0.1:8000/auth/email;
    proxy_pass_error_message on;

    ssl_certificate cert.pem;
    ssl_certificate_key key.pem;
    ssl_session_cache shared:SSL:3m;

    # Advertise real capabilites of backends (postfix/dovecot)
    smtp_capabilities PIPELINING "SIZE 50000000" ETRN ENHANCEDSTATUSCODES 8BITMIME DSN;
    pop3_capabilities TOP UIDL RESP-CODES PIPELINING AUTH-RESP-CODE USER;
    imap_capabilities IMAP4 IMAP4rev1 UIDPLUS SASL-IR LOGIN-REFERRALS
        ID ENABLE IDLE LITERAL+;

    # Default SMTP server for the webmail (no encryption, but authentication)
    server {
      listen 10025;
      protocol smtp;
      smtp_auth plain;
      auth_http_header Auth-Port 10025;
      auth_http_header Client-Port $remote_port;
    }

    # SMTP is always enabled, to avoid losing emails when TLS is failing
    server {
      listen 25;
      listen [::]:25;
      starttls on;
      protocol smtp;
      smtp_auth none;
      auth_http_header Auth-Port 25;
    }

    server {
      listen 993 ssl;
      listen [::]:993 ssl;
      protocol imap;
      imap_auth plain;
      auth_http_header Auth-Port 993;
    }
}
"""

PHP_TUTORIAL = """
worker_processes  1;
events { worker_connections 1024; }

mail {
        server_name mail.example.com;
        auth_http 127.0.0.1/nginx_mail_proxy_auth.php;
        auth_http_header X-Auth-Key "secret_string";

        ssl_certificate         cert.pem;
        ssl_certificate_key     key.pem;
        ssl_session_timeout     5m;
        starttls                only;

        proxy_pass_error_message on;
        proxy_buffer 16k;

        server {
                listen 143;
                imap_auth plain login;
                imap_capabilities "IMAP4rev1" "UIDPLUS" "IDLE";
                auth_http_header User-Agent "Nginx IMAP proxy";
                protocol imap;
        }
        server {
                listen 465 ssl;
                protocol smtp;
                smtp_auth login plain;
                xclient on; proxy_smtp_auth off;
                timeout 5s;
        }
        server {
                listen 995 ssl;
                protocol pop3;
                pop3_auth plain apop;
                set_real_ip_from 10.0.0.0/8;
                proxy_protocol on;
        }
}
"""

WILD = {
    "the documentation's": DOCUMENTATION,
    "the administration guide's": GUIDE,
    "a distribution's": DISTRIBUTION,
    "a mail suite's with includes": SUITE_WITH_INCLUDES,
    "a mail suite's in containers": CONTAINER_SUITE,
    "a tutorial's with PHP": PHP_TUTORIAL,
}
