"""What `make` calls; nothing here is needed to read, solve or grade."""
