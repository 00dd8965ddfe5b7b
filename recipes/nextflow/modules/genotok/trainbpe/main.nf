process GENOTOK_TRAINBPE {
    tag "${meta.id}"
    label 'process_medium'

    conda "${moduleDir}/environment.yml"
    // FILL-IN: build of the containers that Bioconda's package has, in place of "0"
    container "${workflow.containerEngine == 'singularity' && !task.ext.singularity_pull_docker_container
        ? 'https://depot.galaxyproject.org/singularity/genotok:0.1.0--0'
        : 'biocontainers/genotok:0.1.0--0'}"

    input:
    tuple val(meta), path(genomes)
    val vocab_size

    output:
    tuple val(meta), path("${prefix}.tokenizer.json"), emit: tokenizer
    path "versions.yml", emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    genotok train-bpe \\
        --vocab ${vocab_size} \\
        --threads ${task.cpus} \\
        --quiet \\
        --output ${prefix}.tokenizer.json \\
        ${args} \\
        ${genomes}

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        genotok: \$(genotok --version | sed 's/^genotok //')
    END_VERSIONS
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    touch ${prefix}.tokenizer.json

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        genotok: \$(genotok --version | sed 's/^genotok //')
    END_VERSIONS
    """
}
