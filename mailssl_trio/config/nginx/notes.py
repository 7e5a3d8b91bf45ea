"""What of nginx's main context has no counterpart, and what takes its place."""

NGINX_ITSELF = "a matter of nginx itself"

NOTES = {
    "proxy": "means nothing, to nginx neither",
    "http": "not of the mail proxy",
    "stream": "not of the mail proxy",
    **dict.fromkeys(
        (
            "load_module",
            "accept_mutex",
            "accept_mutex_delay",
            "debug_connection",
            "debug_points",
            "epoll_events",
            "lock_file",
            "multi_accept",
            "pcre_jit",
            "ssl_engine",
            "ssl_object_cache_inheritable",
            "thread_pool",
            "timer_resolution",
            "use",
            "worker_aio_requests",
        ),
        NGINX_ITSELF,
    ),
}
"""What nobody will miss: it becomes a comment, and is not warned about."""

AS_HERE = {
    "daemon": False,
    "master_process": True,
    "resolver": ["off"],
    "ssl_certificate_compression": False,
}
"""What changes nothing: the value is what holds here in any case."""

REMEDIES = {
    "daemon": "it runs in the foreground, as systemd and containers like it",
    "env": "the environment is passed on as it is",
    "master_process": "there is always a process above the workers",
    "ssl_certificate_compression": "certificates are not compressed",
    "worker_cpu_affinity": "let systemd do it (CPUAffinity=), or taskset",
    "worker_priority": "let systemd do it (Nice=), or nice",
    "worker_rlimit_core": "let systemd do it (LimitCORE=), or ulimit -c",
    "working_directory": "core files go where it was started (WorkingDirectory=)",
}
"""Where else to say what is not carried over."""
