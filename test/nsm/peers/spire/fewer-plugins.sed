# Which lines of SPIRE's catalogues of plugins are left out: those of clouds, Kubernetes, Docker, Vault and TPMs. They are most of
# what would have to be fetched and compiled, and nothing here can use them.
/aws|azure|gcp|gcs|k8s|docker|vault|certmanager|tpm|sshpop/d
